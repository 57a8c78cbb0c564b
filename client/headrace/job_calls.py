"""What a client does with files of records: sent, followed, cancelled, downloaded, tried again."""

from collections.abc import Callable, Iterator
from pathlib import Path

from headrace import downloads, jobs, retrying, submission
from headrace.connection import Connection
from headrace.job_records import Job, Plan, State, Submitted, Written
from headrace.predicting import Reference
from headrace.submission import Order


def _unheard(job: Job) -> None:
    """Progress that nobody asked for."""


class JobCalls:
    """The calls of a client that are about jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def submit(
        self,
        file: str | Path,
        model: str,
        version: Reference | None = None,
        *,
        results: Written = "joined",
        webhook: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: int | None = None,
    ) -> Submitted:
        """Put a file of records into the inbox, and return the id of its job.

        Args:
            file: a path. What the file holds is told by its first bytes; its suffix counts only
                where they leave a doubt.
            model: the model that answers every record.
            version: a version, or an alias; without, the alias `live`.
            results: `joined`, each record before its answer, or `predictions` alone.
            webhook: an https address that is called once the job has ended; what the calls are
                signed with is the id's `webhook_secret`.
            idempotency_key: 1-255 printable ASCII characters. Within a day the same call under
                the same key is the same job, and a file that has arrived is not sent again.
            deadline_s: in so many seconds from its arrival the job should have ended, 1 to
                604,800: it runs where it can. Nothing ends it if it is late.
        """
        order = Order(model, version, results, webhook, idempotency_key, deadline_s)
        return submission.submit(self._connection, file, order)

    def submit_object(
        self,
        bucket: str,
        key: str,
        model: str,
        version: Reference | None = None,
        *,
        version_id: str | None = None,
        results: Written = "joined",
        webhook: str | None = None,
        idempotency_key: str | None = None,
        deadline_s: int | None = None,
    ) -> Submitted:
        """Let the service copy an object of its own buckets into the inbox, and name its job.

        Args:
            bucket: the inbox's, or that of the results.
            key: of a file there of a model whose jobs the caller may follow.
            model: as for `submit`.
            version: as for `submit`.
            version_id: of the object; without, its latest.
            results: as for `submit`.
            webhook: as for `submit`.
            idempotency_key: as for `submit`.
            deadline_s: as for `submit`.
        """
        order = Order(model, version, results, webhook, idempotency_key, deadline_s)
        return submission.submit_object(self._connection, bucket, key, version_id, order)

    def plan(
        self,
        file: str | Path,
        model: str,
        version: Reference | None = None,
        *,
        deadline_s: int | None = None,
    ) -> Plan:
        """Return where a file's job would run, why, and what it would take. It is not sent.

        Its records are counted here, in the memory of one block whatever the file.

        Args:
            file: as for `submit`.
            model: as for `submit`.
            version: as for `submit`.
            deadline_s: as for `submit`.

        Raises:
            InvalidInput: the file holds no record, or nothing that the service reads.
        """
        order = Order(model, version, deadline_s=deadline_s)
        return submission.plan(self._connection, file, order)

    def job(self, job_id: str) -> Job:
        """Return a job as it stands; a file that has just arrived has none for a moment."""
        return jobs.job(self._connection, job_id)

    def jobs(
        self, model: str | None = None, state: State | None = None, *, limit: int | None = None
    ) -> Iterator[Job]:
        """Yield the jobs that the caller may follow, the newest first.

        The service is asked as they are taken, page by page; so it is then that errors are raised.

        Args:
            model: those of one model; without, of all.
            state: those that are in it; without, in any.
            limit: how many at most; without, all.
        """
        return jobs.jobs(self._connection, model, state, limit)

    def cancel(self, job_id: str) -> Job:
        """Ask for the end of a job, and return it; it is `cancelled` shortly after.

        What is done by then stays as its results.

        Raises:
            ApiError: with code CONFLICT where the job has ended otherwise.
        """
        return jobs.cancel(self._connection, job_id)

    def wait(
        self,
        job_id: str,
        *,
        timeout_s: float = 3600.0,
        start_timeout_s: float = 120.0,
        on_progress: Callable[[Job], None] = _unheard,
    ) -> Job:
        """Return a job once it has ended, whatever its state is then.

        Args:
            job_id: what `submit` gave.
            timeout_s: for how long it may run.
            start_timeout_s: for how long it may take to be seen at all.
            on_progress: is given the job each time its state was asked for.

        Raises:
            WaitedTooLong: the job has not started, or not ended; it goes on all the same.
        """
        return jobs.wait(
            self._connection,
            job_id,
            timeout_s=timeout_s,
            start_timeout_s=start_timeout_s,
            on_progress=on_progress,
        )

    def results(self, job_id: str, folder: str | Path = ".") -> list[Path]:
        """Download what an ended job left, and return the paths of the files.

        These are the results, the errors if a record failed, and the manifest. A file of that
        name in *folder* is replaced. The results are checked against the sha256 that they were
        written with.

        Raises:
            DamagedDownload: they came down as other bytes; there is no file of them.
        """
        return downloads.results(self._connection, job_id, folder)

    def input(self, job_id: str, target: str | Path = ".") -> Path:
        """Download the file that a job was made of, and return its path.

        Args:
            job_id: the job's.
            target: a folder that is there, or the path of the file; what is there is replaced.
        """
        return downloads.job_input(self._connection, job_id, target)

    def retry_failed(
        self, job_id: str, version: Reference | None = None, *, deadline_s: int | None = None
    ) -> Submitted:
        """Submit the records of a job that have no answer once more, and return the new job's id.

        They are taken out of the job's own file, with its header, and numbered anew, from 1. What
        cannot be read whatever the model is left out: a line that is too long, a quote that is
        not closed.

        Args:
            job_id: of a job that has ended.
            version: who answers now; without, the version that answered the others.
            deadline_s: of the new job, as for `submit`; without, it has time, whatever the
                deadline of *job_id* was.

        Raises:
            InvalidInput: no record failed, or the file cannot be taken apart.
        """
        return retrying.retry_failed(self._connection, job_id, version, deadline_s)

"""The records of a job that have no answer, taken out of its file and submitted once more."""

from pathlib import Path
from tempfile import TemporaryDirectory

from headrace.connection import Connection
from headrace.downloads import download
from headrace.failed import Failed
from headrace.failed_records import write_failed
from headrace.job_records import Job, Submitted
from headrace.jobs import job
from headrace.predicting import Reference
from headrace.submission import Order, submit
from headrace_runtime.errors import InvalidInput


def retry_failed(
    connection: Connection, job_id: str, version: Reference | None, deadline_s: int | None
) -> Submitted:
    """Submit what failed to the model of the job, at its version unless another is named.

    The deadline is the new job's: that of the job itself counted from its own beginning.

    Raises:
        InvalidInput: there is nothing to try again, or the file cannot be taken apart.
    """
    found = job(connection, job_id)
    _check_some_failed(found)
    with TemporaryDirectory(prefix="headrace-") as name:
        folder = Path(name)
        failed = Failed.listed_in(download(connection, job_id, "errors", folder))
        (folder / "input").mkdir()
        source = download(connection, job_id, "input", folder / "input")
        rest = write_failed(source, failed, folder)
        asked = version or found.version
        order = Order(found.model, asked, found.written, deadline_s=deadline_s)
        return submit(connection, rest, order)


def _check_some_failed(found: Job) -> None:
    if not found.ended:
        raise InvalidInput(
            f"job {found.job_id} is {found.state}: which records fail is known once it has ended"
        )
    if not found.rows_failed and found.error:
        raise InvalidInput(
            f"job {found.job_id} failed as a whole, and not by single records: {found.error}"
        )
    if not found.rows_failed:
        raise InvalidInput(f"no record of job {found.job_id} failed: there is nothing to retry")

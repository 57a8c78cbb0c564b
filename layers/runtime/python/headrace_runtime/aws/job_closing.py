"""A job is closed: no part is added any more, its files are put together, its state is written."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from headrace_runtime.aws.announcing import Announce
from headrace_runtime.aws.job_ending import (
    earlier_ending,
    published,
    published_failure,
    state_written,
)
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.part_join import Join, Stored
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_manifest import ERRORS, checksum, results_name
from headrace_runtime.batch.parts import layout_bytes
from headrace_runtime.batch.shard import Part
from headrace_runtime.batch.stop import Stop
from headrace_runtime.errors import ModelUnfit

Held = Mapping[str, bytes]  # what of the parts is at hand, by key
Assemble = Callable[[Job, Sequence[Part]], list[Part]]


class JobClosing:
    """Closes jobs whose work is over; from any step on it may be begun again, by anyone."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        shards: Shards,
        results: ResultsBucket,
        assemble: Assemble,
        join: Join,
        announce: Announce,
    ) -> None:
        """Close with what is given.

        Args:
            jobs: are moved.
            shards: have the parts.
            results: where the files lie.
            assemble: says which parts make the file of results.
            join: makes one object of them.
            announce: tells of the end.
        """
        self._jobs = jobs
        self._shards = shards
        self._results = results
        self._assemble = assemble
        self._join = join
        self._announce = announce

    def close_if_due(self, job_id: str, now: datetime, held: Held | None = None) -> Job:
        """Return the job: closed if all its shards are done, or it was stopped and none is worked.

        Args:
            job_id: of a job that has, perhaps, ended already.
            now: the time.
            held: parts that need not be read.
        """
        job = self._jobs.get(job_id)
        if job.state.final:
            return job
        if not job.closing:
            if not self._due(job, now):
                return job
            job = self._jobs.change(job_id, Job.closed)
        ended = self._ended(job, now, held or {})
        job = state_written(ended, jobs=self._jobs, announce=self._announce)
        parts = [part for shard in self._shards.of(job_id) for part in shard.parts]
        self._results.remove([key for part in parts for key in (part.results, part.errors) if key])
        return job

    def _due(self, job: Job, now: datetime) -> bool:
        if job.stop:
            return not any(shard.held(now) for shard in self._shards.of(job.job_id))
        return job.cut.complete and job.shards_done >= job.cut.shards

    def _ended(self, job: Job, now: datetime, held: Held) -> Job:
        """Return how the job ended; its files stand then."""
        ended = earlier_ending(job, self._results)
        if ended is not None:
            return ended
        shards = list(self._shards.of(job.job_id))
        parts = [part for shard in shards for part in shard.parts]
        try:
            files = self._assemble(job, parts)
        except ModelUnfit as error:
            job = job.with_stop(Stop(error.code, error.sentence))
            files = []
        ended = job.ended(
            sum((part.counts for part in parts), Counts()),
            now,
            sha256=checksum(files),
            cost_usd=sum(shard.cost_usd for shard in shards),
        )
        if job.stop and job.stop.error:
            return published_failure(ended, job.stop.code, self._results)
        self._put_together(job, files, parts, held)
        return published(ended, self._results, files)

    def _put_together(self, job: Job, files: list[Part], parts: list[Part], held: Held) -> None:
        prefix = job.target.prefix
        errors = [Stored(p.errors, p.errors_bytes, held.get(p.errors)) for p in parts if p.errors]
        self._join(f"{prefix}{ERRORS}", errors)
        results = [
            Stored(p.results, p.results_bytes, held.get(p.results) or _layout(p)) for p in files
        ]
        self._join(f"{prefix}{results_name(job)}", results)


def _layout(part: Part) -> bytes | None:
    """Return a part that lies nowhere: it is a layout alone."""
    return None if part.results else layout_bytes(part.layout)

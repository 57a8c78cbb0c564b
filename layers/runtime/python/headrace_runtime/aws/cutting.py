"""A job's file is cut into shards; from any of them on the cutting may be begun again."""

from collections.abc import Callable

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.clock import Slice
from headrace_runtime.batch.cuts import Ends
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_failures import PERMANENT
from headrace_runtime.batch.shard import Range, Shard
from headrace_runtime.batch.stop import Stop
from headrace_runtime.codec.records import Position
from headrace_runtime.errors import Conflict, OutOfTime, Unavailable

EndsOf = Callable[[Job, Slice], Ends]


class Cutting:
    """Adds shard after shard to a job, and queues each as soon as it stands."""

    def __init__(self, *, jobs: Jobs, shards: Shards, queue: ShardQueue, ends_of: EndsOf) -> None:
        """Cut with what is given; *ends_of* finds a job's next shards, from its `cut.end` on."""
        self._jobs = jobs
        self._shards = shards
        self._queue = queue
        self._ends_of = ends_of

    def go_on(self, job: Job, time: Slice) -> Job:
        """Return the job, its file cut further from where it is cut to by now.

        What is left when the time is over goes on by a message; a file that cannot be cut stops
        its job. Where somebody else cuts it, or it is over, it is left to them.

        Raises:
            Unavailable: too little time was left to find a shard; nothing was done.
        """
        if job.cut.complete or not job.workable:
            return job
        try:
            job = self._cut(job, time)
        except Conflict:
            return self._jobs.get(job.job_id)
        except PERMANENT as error:
            stop = Stop(error.code, error.sentence)
            job = self._jobs.change(job.job_id, lambda job: job.stopped(stop))
            self._queue.close(job)
            return job
        if not job.cut.complete:
            self._queue.cut(job)
        return job

    def _cut(self, job: Job, time: Slice) -> Job:
        before = job.cut.shards
        for end, complete in self._ends_of(job, time):
            by_rows = job.shard_rows > 0
            job = self._added(job, end, complete=complete)
            self._queue.shard(job, job.cut.shards - 1)
            if by_rows and not job.shard_rows:
                break  # what follows is cut otherwise
        if job.cut.shards == before:
            if not time.ample:  # others before it had the time
                raise Unavailable(f"too little time was left to cut the file of job {job.job_id}")
            raise OutOfTime(
                f"the file is too large: its shard {before} was not found within one run. Drop it "
                "uncompressed, or in several smaller files"
            )
        return job

    def _added(self, job: Job, end: Position, *, complete: bool) -> Job:
        start = job.cut.end
        stop = None if complete else end.offset
        shard = Shard(job.job_id, job.cut.shards, Range(start, stop, start.row))
        while True:
            if not job.workable:
                raise Conflict(f"job {job.job_id} is over, or about to be: it is not cut further")
            try:
                return self._shards.add(shard, job, job.cut_to(end, complete=complete))
            except Conflict:
                stands = self._jobs.get(job.job_id)
                if stands.cut == job.cut_to(end, complete=complete).cut:
                    return stands  # added by a first try whose answer was lost
                if stands.cut != job.cut:
                    raise
                job = stands  # a worker has begun it meanwhile

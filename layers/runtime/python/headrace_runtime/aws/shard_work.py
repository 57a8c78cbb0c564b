"""A shard is worked: leased, run, written; from any step on it may be begun again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from headrace_runtime.aws.job_closing import JobClosing
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.passing_faults import passes
from headrace_runtime.aws.quarantine import Quarantine, refusal
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shard_watch import ShardWatch
from headrace_runtime.aws.shard_writing import ShardWriting, Written
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_failures import PERMANENT
from headrace_runtime.batch.rerouting import end_of, in_rows, too_heavy, too_slow
from headrace_runtime.batch.shard import Range, Shard, ShardState
from headrace_runtime.batch.stop import Stop
from headrace_runtime.errors import Conflict, HeadraceError, OutOfTime, Unavailable
from headrace_runtime.inference.process_failures import ModelKills
from headrace_runtime.model.manifest import Manifest

MAX_TRIES = 3  # fewer than the deliveries after which a message is a dead letter

_NEEDED_S = 30.0  # less time than this is not worth beginning with
_LEASE_MARGIN_S = 10.0  # by which a lease outlives the run that took it


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardWork:
    """Works shards of jobs.

    Attributes:
        price: says what so many nanoseconds of this function cost, in USD.
        quarantine: of models that kill their process; None where no model runs.
        collects: whether it works those shards that SageMaker answered, and no others.
    """

    jobs: Jobs
    shards: Shards
    registry: Registry
    quarantine: Quarantine | None
    writing: ShardWriting
    closing: JobClosing
    queue: ShardQueue
    price: Callable[[int], float]
    collects: bool = False

    def work(self, job_id: str, number: int, clock: Clock) -> Job:
        """Return the job once the shard is worked, as far as the time reached; closed if due.

        Raises:
            Conflict: another worker has the shard; nothing was done.
            Unavailable: too little time is left to begin; nothing was done.
            Exception: a fault that a retry may mend; the shard waits for the next worker.
        """
        job, shard = self.jobs.get(job_id), self.shards.get(job_id, number)
        if not job.workable or shard.state is ShardState.DONE:
            return self.closing.close_if_due(job_id, clock.now())
        if (shard.handed is not None) != self.collects:
            return job
        if self.queue.for_gpu(job, shard):
            self.queue.again(job, shard)
            return job
        if clock.left_s() < _NEEDED_S:
            raise Unavailable(f"{clock.left_s():.0f} s are too few to begin with job {job_id}")
        lease_s = clock.left_s() + _LEASE_MARGIN_S
        watch = ShardWatch(
            self.shards.move(shard, shard.start(clock.now(), lease_s)),
            jobs=self.jobs,
            shards=self.shards,
            clock=clock,
        )
        try:
            job = self.jobs.change(job_id, lambda job: job.begun(clock.now()))
            written = self._written(job, watch, clock)
        except BaseException as error:
            self._release(watch.shard, tried=not passes(error))
            raise
        return self.closing.close_if_due(job_id, clock.now(), written.held if written else None)

    def _written(self, job: Job, watch: ShardWatch, clock: Clock) -> Written | None:
        """Return what was written of a shard; None where the job has failed and is stopped."""
        began_s = clock.left_s()
        try:
            written = self._part(job, watch, clock)
        except PERMANENT as error:
            self._given_up(job, watch.shard, error)
            return None
        cost_usd = self.price(round((began_s - clock.left_s()) * 1e9))
        shard = watch.shard
        self.shards.write(shard, shard.written(written.part, written.rest, cost_usd))
        if written.rest:
            self._go_on(job, watch.shard, written.rest, hurried=clock.left_s() < began_s / 2)
        return written

    def _go_on(self, job: Job, was: Shard, rest: Range, *, hurried: bool) -> None:
        """Queue what a run left of a shard: it was *hurried* if its time was the reason."""
        slow = ""
        if hurried:
            slow = too_slow(was.range, rest, end_of(job), in_rows=in_rows(job))
        if slow and not (self.collects or was.on_cpu):
            job = self.jobs.change(job.job_id, lambda job: job.rerouted(slow))
        self.queue.again(job, was)

    def _given_up(self, job: Job, shard: Shard, error: HeadraceError) -> None:
        """Let the job end for an error that no retry mends, or go on where it may not occur."""
        heavy = "" if self.collects or shard.on_cpu else too_heavy(error)
        moved = self.jobs.change(job.job_id, lambda job: job.rerouted(heavy) if heavy else job)
        self._release(shard)
        if self.queue.for_gpu(moved, shard):
            self.queue.again(moved, shard)
            return
        stop = Stop(error.code, error.sentence)
        self.jobs.change(job.job_id, lambda job: job.stopped(stop))

    def _part(self, job: Job, watch: ShardWatch, clock: Clock) -> Written:
        shard = watch.shard
        if shard.tries > MAX_TRIES:
            raise OutOfTime(
                f"the work was begun {MAX_TRIES} times and broke off each time: the file or the "
                "model may be too large for one run"
            )
        manifest = self.registry.manifest(*job.known_version)
        if self.quarantine is not None:
            self.quarantine.check(manifest, clock.now())
        try:
            return self.writing.write(job, manifest, shard, watch, clock)
        except ModelKills as error:
            raise self._quarantined(manifest, error, clock) from error

    def _quarantined(self, manifest: Manifest, error: ModelKills, clock: Clock) -> HeadraceError:
        if self.quarantine is not None:
            self.quarantine.put(manifest, error.sentence, clock.now())
        return refusal(manifest, error.sentence)

    def _release(self, shard: Shard, *, tried: bool = True) -> None:
        with suppress(Conflict):  # it is written, or another worker's
            self.shards.move(shard, shard.released(tried=tried))

"""A shard is given to SageMaker: leased, its records made into bodies, the bodies sent.

From any step on it may be begun again: a body has the same name and bytes whenever it is sent.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from headrace_runtime.aws.async_endpoint import EndpointGone, OutputElsewhere
from headrace_runtime.aws.gpu_fallback import GpuFallback
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.passing_faults import passes
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.sending import Sending, transformed
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shard_watch import ShardWatch
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.staging import Staging, TooManyBodies
from headrace_runtime.aws.transforms import TransformRefused
from headrace_runtime.aws.version_events import VersionEvents
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_failures import PERMANENT
from headrace_runtime.batch.shard import Shard, ShardState
from headrace_runtime.batch.stop import Stop
from headrace_runtime.errors import Conflict, OutOfTime

MAX_TRIES = 6  # of making bodies; a worker that had the shard before may have used up three
_LEASE_MARGIN_S = 10.0  # by which a lease outlives the run that took it
_SOONEST_S, _LATEST_S = 5, 60  # after which an endpoint that was not there is looked for again

Count = Callable[[str, int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """Gives shards to SageMaker.

    Attributes:
        usd_per_gpu_s: what an instance of the stage's first type costs: an estimate, as SageMaker
            may have taken another one.
        wait_s: for how long an endpoint is waited for that is not there.
    """

    jobs: Jobs
    shards: Shards
    registry: Registry
    staging: Staging
    sending: Sending
    fallback: GpuFallback
    queue: ShardQueue
    version_events: VersionEvents
    usd_per_gpu_s: float
    wait_s: float

    def work(
        self, job_id: str, number: int, since: datetime | None, clock: Clock, count: Count
    ) -> Job:
        """Return the job once its shard is with SageMaker, as far as that is to be done.

        Args:
            job_id: of the shard's job.
            number: the shard's.
            since: when its endpoint was first missed; None where it was not.
            clock: the worker's.
            count: told of bodies that went, and of shards that cannot go, by a metric's name.

        Raises:
            Conflict: another worker has the shard; nothing was done.
            Exception: a fault that a retry may mend.
        """
        job, shard = self.jobs.get(job_id), self.shards.get(job_id, number)
        if not job.workable or shard.state is ShardState.DONE:
            self.queue.close(job)
        elif shard.handed is None and not shard.for_gpu(job):
            self.queue.again(job, shard)
            self._rest_goes(job)
        else:
            self._given(job, shard, since, clock, count)
        return job

    def _given(
        self, job: Job, shard: Shard, since: datetime | None, clock: Clock, count: Count
    ) -> None:
        closed = self.sending.door(job).closed
        try:
            staged = None if closed else self._ready(job, shard, clock)
            if staged is not None:
                count("GpuBodies", self._sent(job, staged, clock))
        except EndpointGone as error:
            closed = error.sentence
        except TransformRefused as error:  # which was of all shards
            for one in self.shards.of(job.job_id):
                if one.state is ShardState.HANDED:
                    self._give_up(job, one.number, error.sentence, count)
        except (OutputElsewhere, TooManyBodies, OutOfTime) as error:
            self._give_up(job, shard.number, error.sentence, count)
            self._rest_goes(job)
        if closed and not self._waits(job, shard.number, since, clock.now()):
            self._give_up(job, shard.number, closed, count)

    def _waits(self, job: Job, number: int, since: datetime | None, now: datetime) -> bool:
        """Let a shard come again for which there is no endpoint; False where that is hopeless."""
        waited_s = 0.0 if since is None else (now - since).total_seconds()
        if self.sending.door(job).for_long or waited_s > self.wait_s:
            return False
        if since is None:
            self.version_events.moved(job.known_version[0])  # so that it is looked after at once
        delay_s = min(max(_SOONEST_S, round(waited_s)), _LATEST_S)
        self.queue.later(job, self.shards.get(job.job_id, number), since or now, delay_s)
        return True

    def _give_up(self, job: Job, number: int, why: str, count: Count) -> None:
        count("GpuFallbacks", 1)
        self.fallback.give_up(job, self.shards.get(job.job_id, number), why)

    def _rest_goes(self, job: Job) -> None:
        """Let the transform job be started that waited for a shard which does not come."""
        if not transformed(job):
            return
        handed = (one for one in self.shards.of(job.job_id) if one.state is ShardState.HANDED)
        if (any_of_them := next(handed, None)) is not None:
            self.queue.unsent(job, any_of_them)

    def _ready(self, job: Job, shard: Shard, clock: Clock) -> Shard | None:
        return shard if shard.handed is not None else self._staged(job, shard, clock)

    def _staged(self, job: Job, shard: Shard, clock: Clock) -> Shard | None:
        """Return the shard, its bodies ready; None where its job fails for what the file is.

        Raises:
            TooManyBodies, OutOfTime: it is no work for SageMaker; it waits for another worker.
        """
        lease_s = clock.left_s() + _LEASE_MARGIN_S
        watch = ShardWatch(
            self.shards.move(shard, shard.start(clock.now(), lease_s)),
            jobs=self.jobs,
            shards=self.shards,
            clock=clock,
        )
        try:
            job = self.jobs.change(job.job_id, lambda job: job.begun(clock.now()))
            return self._handed_over(job, watch, clock)
        except BaseException as error:
            self._release(watch.shard, tried=not passes(error))
            if not isinstance(error, PERMANENT) or isinstance(error, OutOfTime):
                raise
            stop = Stop(error.code, error.sentence)
            self.queue.close(self.jobs.change(job.job_id, lambda job: job.stopped(stop)))
            return None

    def _handed_over(self, job: Job, watch: ShardWatch, clock: Clock) -> Shard:
        if watch.shard.tries > MAX_TRIES:
            raise OutOfTime(f"its records were read {MAX_TRIES} times, and it broke off each time")
        manifest = self.registry.manifest(*job.known_version)
        handed = self.staging.stage(
            job, manifest, watch, lambda: self.sending.until(job, clock.now())
        )
        gpu_s = handed.rows * (job.placement.gpu_row_ms if job.placement else 0.0) / 1000
        cost_usd = gpu_s * self.usd_per_gpu_s
        return self.shards.move(watch.shard, watch.shard.handed_over(handed, cost_usd))

    def _sent(self, job: Job, shard: Shard, clock: Clock) -> int:
        """Send what was not sent of a shard; return how many bodies that were."""
        handed = shard.known_handed
        if not handed.bodies:  # not one record could be read: there is nothing to wait for
            self.queue.again(job, shard)
        elif handed.sent >= handed.bodies:
            return 0
        manifest = self.registry.manifest(*job.known_version)
        sent = self.sending.send(job, manifest, shard, clock.left_s)
        stands = self.shards.get(job.job_id, shard.number)
        unmoved = stands.handed is not None and stands.attempt == shard.attempt
        if unmoved and not transformed(job) and stands.known_handed.sent < handed.bodies:
            self.queue.unsent(job, stands)  # the time was too short for all
        return sent

    def _release(self, shard: Shard, *, tried: bool) -> None:
        with suppress(Conflict):  # it is handed over, or another worker's
            self.shards.move(shard, shard.released(tried=tried))

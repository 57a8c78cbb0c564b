"""A shard is given to SageMaker: leased, its records made into bodies, the bodies sent.

From any step on it may be begun again: a body has the same name and bytes whenever it is sent.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from headrace_runtime.aws.gpu_fallback import GpuFallback
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.passing_faults import passes
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.sending import Sending
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shard_watch import ShardWatch
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.staging import Staging
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_failures import PERMANENT
from headrace_runtime.batch.shard import Shard, ShardState
from headrace_runtime.batch.stop import Stop
from headrace_runtime.errors import Conflict, OutOfTime

MAX_TRIES = 6  # of making bodies; a worker that had the shard before may have used up three
_LEASE_MARGIN_S = 10.0  # by which a lease outlives the run that took it
_SOONEST_S, _LATEST_S = 5, 60  # after which an endpoint that was not there is looked for again


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """Gives shards to SageMaker.

    Attributes:
        price: of a record that an instance answers, as seconds of it, in USD.
        wait_s: for how long an endpoint is waited for that is not there.
    """

    jobs: Jobs
    shards: Shards
    registry: Registry
    staging: Staging
    sending: Sending
    fallback: GpuFallback
    queue: ShardQueue
    usd_per_gpu_s: float
    wait_s: float

    def work(self, job_id: str, number: int, since: datetime | None, clock: Clock) -> int:
        """Give a shard to SageMaker, as far as that is to be done; return how many bodies went.

        Args:
            job_id: of the shard's job.
            number: the shard's.
            since: when its endpoint was first missed; None where it was not.
            clock: the worker's.

        Raises:
            Conflict: another worker has the shard; nothing was done.
            Exception: a fault that a retry may mend.
        """
        job, shard = self.jobs.get(job_id), self.shards.get(job_id, number)
        if not job.workable or shard.state is ShardState.DONE:
            self.queue.close(job)
            return 0
        if shard.handed is not None:
            return self._sent(job, shard)
        if not shard.for_gpu(job):
            self.queue.again(job, shard)
            return 0
        door = self.sending.door(job)
        if door.closed:
            self._wait(job, shard, door.closed, since or clock.now(), clock.now())
            return 0
        staged = self._staged(job, shard, clock)
        return 0 if staged is None else self._sent(job, staged)

    def _wait(self, job: Job, shard: Shard, closed: str, since: datetime, now: datetime) -> None:
        waited_s = (now - since).total_seconds()
        if waited_s > self.wait_s:
            self.fallback.give_up(job, shard, f"{closed}, for {waited_s:.0f} s")
            return
        delay_s = min(max(_SOONEST_S, round(waited_s)), _LATEST_S)
        self.queue.later(job, shard, since, delay_s)

    def _staged(self, job: Job, shard: Shard, clock: Clock) -> Shard | None:
        """Return the shard, its bodies ready; None where that cannot be, and others have it now."""
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
        except OutOfTime as error:
            self.fallback.give_up(job, watch.shard, error.sentence)
            return None
        except PERMANENT as error:
            stop = Stop(error.code, error.sentence)
            self._release(watch.shard, tried=True)
            self.queue.close(self.jobs.change(job.job_id, lambda job: job.stopped(stop)))
            return None
        except BaseException as error:
            self._release(watch.shard, tried=not passes(error))
            raise

    def _handed_over(self, job: Job, watch: ShardWatch, clock: Clock) -> Shard:
        if watch.shard.tries > MAX_TRIES:
            raise OutOfTime(f"its records were read {MAX_TRIES} times, and it broke off each time")
        manifest = self.registry.manifest(*job.known_version)
        until = self.sending.until(job, clock.now())
        handed = self.staging.stage(job, manifest, watch, until)
        gpu_s = handed.rows * (job.placement.gpu_row_ms if job.placement else 0.0) / 1000
        cost_usd = gpu_s * self.usd_per_gpu_s
        return self.shards.move(watch.shard, watch.shard.handed_over(handed, cost_usd))

    def _sent(self, job: Job, shard: Shard) -> int:
        handed = shard.known_handed
        if not handed.bodies:  # not one record could be read: there is nothing to wait for
            self.queue.again(job, shard)
            return 0
        if handed.sent >= handed.bodies:
            return 0
        return self.sending.send(job, self.registry.manifest(*job.known_version), shard)

    def _release(self, shard: Shard, *, tried: bool) -> None:
        with suppress(Conflict):  # it is handed over, or another worker's
            self.shards.move(shard, shard.released(tried=tried))

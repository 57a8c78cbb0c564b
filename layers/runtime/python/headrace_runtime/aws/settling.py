"""What SageMaker has made of shards is collected; what it has not made is asked for again.

Whoever tells that something is there only wakes: what counts is which outputs exist. So notices
may come twice, late, in any order, or not at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headrace_runtime.aws.gpu_fallback import GpuFallback
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.sending import Sending, transformed
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shard_work import ShardWork
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.staging_bucket import PAGE, StagingBucket
from headrace_runtime.aws.transforms import COMPLETED, OVER, Transforms
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.handed import MAX_ROUNDS, folder
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.notice import Notice
from headrace_runtime.batch.output_runs import OutputsUnfit
from headrace_runtime.batch.shard import Shard, ShardState

Count = Callable[[str, int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Moves shards on that are with SageMaker.

    Attributes:
        work: answers a shard from its outputs.
    """

    jobs: Jobs
    shards: Shards
    bucket: StagingBucket
    sending: Sending
    transforms: Transforms
    fallback: GpuFallback
    queue: ShardQueue
    work: ShardWork

    def noticed(self, notice: Notice, clock: Clock, count: Count) -> Job:
        """Return the job once what a notice tells of its shard is seen to.

        A failure counts if it is of what was sent last, and if there is no output all the same.

        Raises:
            JobNotFound: it is of no job.
        """
        name = notice.name
        shard = self.shards.get(name.job_id, name.shard)
        handed = shard.handed
        if handed is None or (handed.attempt, handed.round) != (name.attempt, name.round):
            return self.jobs.get(name.job_id)
        if notice.failure:
            self.bucket.note_failure(name, notice.failure)
            return self._settled(shard, clock, count)
        return self._settled(shard, clock, count, there=name.body)

    def transformed(self, name: str) -> None:
        """Let each shard be settled whose bodies a transform job had, now that it is over."""
        which = self.transforms.job_and_round(name)
        if which is None or self.transforms.state(name) not in OVER:
            return
        job = self.jobs.get(which[0])
        for shard in self.shards.of(job.job_id):
            if shard.state is ShardState.HANDED:
                self.queue.again(job, shard)

    def settle(self, job_id: str, number: int, clock: Clock, count: Count) -> Job:
        """Return the job once what can be done of its shard is done: collected, or asked again.

        Bodies that were not sent are, by who sends bodies: whoever was at it has died.

        Args:
            job_id: of the job.
            number: of the shard.
            clock: the worker's.
            count: told of failures, by the name of a metric and how many.

        Raises:
            Unavailable: too little time is left to collect.
            Exception: a fault that a retry may mend.
        """
        job = self._settled(self.shards.get(job_id, number), clock, count)
        shard = self.shards.get(job_id, number)
        handed = shard.handed if shard.state is ShardState.HANDED else None
        if job.workable and handed is not None and handed.sent < handed.bodies:
            self.queue.unsent(job, shard)
        return job

    def _settled(self, shard: Shard, clock: Clock, count: Count, there: int | None = None) -> Job:
        """Settle a shard; *there* is the body whose output woke us, None where it was none's."""
        job = self.jobs.get(shard.job_id)
        if not job.workable or shard.state is ShardState.DONE:
            return self.closed(job.job_id, clock.now())
        if shard.handed is None or shard.held(clock.now()):
            return job
        if there is not None and self._more_comes_near(there, job, shard, clock.now()):
            return job
        place = folder(job.job_id, shard.number, shard.handed.attempt)
        lacking = set(range(shard.handed.bodies)) - self.bucket.outputs(place)
        if not lacking:
            return self._collected(job, shard, clock, count)
        if self._nothing_comes(job, shard, lacking, clock.now()):
            return self._asked_again(job, shard, len(lacking), clock.now(), count)
        return job

    def closed(self, job_id: str, now: datetime) -> Job:
        """Return the job, closed if that is due."""
        return self.work.closing.close_if_due(job_id, now)

    def ended(self, job_id: str) -> Job:
        """Return a job that is over, once SageMaker does no more for it.

        Its transform jobs are stopped, and its bodies removed: what still waits in an endpoint's
        queue then fails as soon as it begins.
        """
        job = self.jobs.get(job_id)
        if not job.state.final:
            return job
        rounds = {1}
        for shard in self.shards.of(job_id):
            if shard.handed is not None:
                rounds.add(shard.handed.round)
                self.bucket.remove(folder(job_id, shard.number, shard.handed.attempt))
        if transformed(job):
            for round_ in rounds:
                self.transforms.stop(self.transforms.name(job_id, round_))
        return job

    def _more_comes_near(self, body: int, job: Job, shard: Shard, now: datetime) -> bool:
        """Whether a shard of more bodies than S3 lists at a time waits for one of *body*'s page.

        If so, nothing can be done of the shard yet, whatever its other pages hold. So a notice
        costs one page; all of them are looked at only where nothing more comes of this one.
        """
        bodies, first = shard.known_handed.bodies, body - body % PAGE
        if bodies <= PAGE:
            return False
        page = range(first, min(first + PAGE, bodies))
        place = folder(job.job_id, shard.number, shard.known_handed.attempt)
        lacking = set(page) - self.bucket.outputs_among(place, page)
        return bool(lacking) and not self._nothing_comes(job, shard, lacking, now)

    def _nothing_comes(self, job: Job, shard: Shard, lacking: set[int], now: datetime) -> bool:
        handed = shard.known_handed
        state = self._transform_state(job, handed.round)
        if state is not None:
            return state in OVER
        place = folder(job.job_id, shard.number, handed.attempt)
        return handed.overdue(now) or lacking <= self.bucket.failures(place, handed.round)

    def _left_nothing(self, job: Job, shard: Shard) -> bool:
        if self._transform_state(job, shard.known_handed.round) != COMPLETED:
            return False
        # It may have completed after its outputs were looked for.
        place = folder(job.job_id, shard.number, shard.known_handed.attempt)
        return not self.bucket.outputs(place)

    def _transform_state(self, job: Job, round_: int) -> str | None:
        if not transformed(job):
            return None
        return self.transforms.state(self.transforms.name(job.job_id, round_))

    def _asked_again(
        self, job: Job, shard: Shard, lacking: int, now: datetime, count: Count
    ) -> Job:
        handed = shard.known_handed
        done = handed.bodies - lacking
        count("GpuFailures", lacking)
        why = ""
        if handed.round >= MAX_ROUNDS and done <= handed.done:
            why = f"{lacking} of its {handed.bodies} bodies failed {handed.round} times"
        if not done and self._left_nothing(job, shard):
            why = "its transform job completed, and left no output where it is to be"
        if why:
            count("GpuFallbacks", 1)
            return self.fallback.give_up(job, shard, why)
        asked = shard.asked_again(self.sending.until(job, now), done)
        self.queue.unsent(job, self.shards.move(shard, asked))
        return job

    def _collected(self, job: Job, shard: Shard, clock: Clock, count: Count) -> Job:
        try:
            job = self.work.work(job.job_id, shard.number, clock)
        except OutputsUnfit as error:
            count("GpuFallbacks", 1)
            stands = self.shards.get(job.job_id, shard.number)
            return self.fallback.give_up(job, stands, error.sentence)
        if self.shards.get(job.job_id, shard.number).state is ShardState.DONE:
            handed = shard.known_handed
            place = folder(job.job_id, shard.number, handed.attempt)
            self.bucket.remove_answered(place, handed.bodies)
        return job

"""What SageMaker did not answer goes back to Lambda, or its job fails, as the stage has it."""

from contextlib import suppress
from dataclasses import dataclass

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.shard import Shard
from headrace_runtime.batch.stop import Stop
from headrace_runtime.errors import Conflict

GPU_FAILED = "GPU_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFallback:
    """Decides what becomes of a shard.

    Attributes:
        to_cpu: whether Lambda may try what SageMaker did not do.
    """

    jobs: Jobs
    shards: Shards
    queue: ShardQueue
    to_cpu: bool

    def give_up(self, job: Job, shard: Shard, why: str) -> Job:
        """Return the job, the shard on its way to Lambda, or the job stopped.

        Where somebody else has moved the shard meanwhile, it is left to them.

        Args:
            job: of the shard; it says from now on what happened.
            shard: as it stands.
            why: a clause.
        """
        sentence = f"SageMaker did not answer shard {shard.number}: {why}"
        if not self.to_cpu:
            stop = Stop(GPU_FAILED, sentence)
            stopped = self.jobs.change(job.job_id, lambda job: job.stopped(stop))
            self.queue.close(stopped)
            return stopped
        job = self.jobs.change(job.job_id, lambda job: job.fallen_back(sentence))
        with suppress(Conflict):
            self.queue.again(job, self.shards.move(shard, shard.given_back()))
        return job

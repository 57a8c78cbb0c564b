"""An eye on a running shard: how far it is, and whether it should go on."""

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.shard import Shard

ENDING_S = 15.0  # kept back to write the last part, the manifest and the state
_REPORT_S = 5.0


class ShardWatch:
    """Writes progress now and then, and says when work should stop that would be cut off.

    Attributes:
        shard: as it stands.
    """

    def __init__(self, shard: Shard, *, jobs: Jobs, shards: Shards, clock: Clock) -> None:
        self.shard = shard
        self._jobs = jobs
        self._shards = shards
        self._clock = clock
        self._noted_s = self._reported_s = clock.left_s()

    def goes_on(self, counts: Counts) -> bool:
        """Return whether there is time for another run like the last one, and a use for it.

        Args:
            counts: what is behind; asked after each run of the model.

        Raises:
            Conflict: another worker has the shard by now.
        """
        left_s = self._clock.left_s()
        last_run_s, self._noted_s = self._noted_s - left_s, left_s
        if left_s < ENDING_S + 2 * last_run_s:
            return False
        if self._reported_s - left_s < _REPORT_S:
            return True
        self._reported_s = left_s
        self.shard = self._shards.move(self.shard, self.shard.progressed(counts))
        return self._jobs.get(self.shard.job_id).workable

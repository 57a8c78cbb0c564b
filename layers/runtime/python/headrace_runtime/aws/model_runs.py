"""A shard's records are answered by the model itself, in a process beside this one."""

from headrace_runtime.aws.shard_watch import ENDING_S
from headrace_runtime.aws.shard_writing import RunsOf
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.record_runs import RecordRuns, Runs, rows_together
from headrace_runtime.batch.shard import Shard
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.model.manifest import Manifest

MAX_CRASHED = 100  # records of one run that may kill the model's process; then it is the model


def model_runs(models: ModelProcess, *, rows_at_once: int) -> RunsOf:
    """Return what gives the runs of a shard.

    Args:
        models: runs them.
        rows_at_once: records of one run of the model, at most.
    """

    def runs_of(manifest: Manifest, _: Shard, clock: Clock) -> Runs:
        return RecordRuns(
            lambda tensors: models.predict(manifest, tensors, left_s=clock.left_s() - ENDING_S),
            manifest.signature,
            rows_at_once=rows_together(manifest.profile, rows_at_once),
            max_crashed=MAX_CRASHED,
        )

    return runs_of

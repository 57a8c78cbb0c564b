"""A shard's records are answered by what SageMaker made of them."""

from collections.abc import Sequence

from headrace_runtime.aws.shard_writing import RunsOf
from headrace_runtime.aws.staging import answered, known_archive
from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.handed import folder
from headrace_runtime.batch.output_runs import OutputRuns, OutputsUnfit
from headrace_runtime.batch.record_runs import Runs
from headrace_runtime.batch.shard import Shard
from headrace_runtime.codec.triton_body import decode_output
from headrace_runtime.errors import InvalidInput
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Tensor


def output_runs(bucket: StagingBucket) -> RunsOf:
    """Return what gives the runs of a shard whose outputs lie in *bucket*."""

    def runs_of(manifest: Manifest, shard: Shard, _: Clock) -> Runs:
        handed = shard.known_handed
        place = folder(shard.job_id, shard.number, handed.attempt)

        def read(body: int) -> Sequence[Tensor]:
            data, content = bucket.output(place, body)
            try:
                return decode_output(data, content, manifest.signature.outputs)
            except InvalidInput as error:
                raise OutputsUnfit(f"the output of body {body}: {error.sentence}") from error

        one_by_one = known_archive(manifest).rows_at_once == 1
        return OutputRuns(read, handed, answered=answered(shard), one_by_one=one_by_one)

    return runs_of

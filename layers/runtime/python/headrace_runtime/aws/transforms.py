"""Batch transform jobs: one for all bodies of a job, and one more for those that it left."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.passing_faults import passes
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.batch.handed import body_key, folder
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.shard import Shard, ShardState
from headrace_runtime.errors import HeadraceError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

# SageMaker's own limit of a body; bodies are some megabytes.
_MAX_BODY_MB = 100
# Its driver starts containers of CUDA 12 and 13; that of the default image does neither.
_AMI = "al2-ami-sagemaker-batch-gpu-535"
_RETRIES = 1  # by SageMaker itself, of a body on the same instance
_EXISTS = frozenset({"ResourceInUse", "ConflictException"})
_NO_QUOTA = "ResourceLimitExceeded"  # left of an instance type, in the account
COMPLETED = "Completed"
OVER = frozenset({COMPLETED, "Failed", "Stopped"})  # after which nothing more comes


class TransformRefused(HeadraceError):
    """SageMaker does not take a transform job, and would not take it later; a clause says why."""


class Transforms:
    """Starts, looks at and stops the transform jobs of our jobs.

    Args:
        name_prefix: how their names begin, `hr-<stage>`.
        instance_types: what they run on, best first; one at least. Each round begins with the next
            one, as SageMaker may have had no instance of the one before, and takes one of which
            the account has a quota left.
        max_instances: of a job. 1 or more.
        timeout_s: of one body's run. 1 to 3,600.
    """

    def __init__(
        self,
        staging: StagingBucket,
        jobs: Jobs,
        shards: Shards,
        *,
        sagemaker: "SageMakerClient",
        name_prefix: str,
        instance_types: Sequence[str],
        max_instances: int,
        timeout_s: int,
    ) -> None:
        self._staging = staging
        self._jobs = jobs
        self._shards = shards
        self._sagemaker = sagemaker
        self._name_prefix = name_prefix
        self._instance_types = tuple(instance_types)
        self._max_instances = max_instances
        self._timeout_s = timeout_s

    def name(self, job_id: str, round_: int) -> str:
        """Return the one name that the transform job of a round may have."""
        return f"{self._name_prefix}-{job_id}-{round_}"

    def job_and_round(self, name: str) -> tuple[str, int] | None:
        """Return the job and the round that a transform job is of; None if it is not ours."""
        job_id, _, round_ = name.removeprefix(f"{self._name_prefix}-").rpartition("-")
        ours = name.startswith(f"{self._name_prefix}-") and round_.isdecimal()
        return (job_id, int(round_)) if ours and job_id else None

    def start_if_due(self, job: Job, sagemaker_model: str, content_type: str) -> str:
        """Start what takes all bodies that lack an output; return its name, "" if it is not due.

        It is due once the file is cut and every shard is with SageMaker, or done, or not to go
        there. Whoever comes second finds it started: its name is taken.

        Args:
            job: whose bodies they are.
            sagemaker_model: the version's name as SageMaker's model.
            content_type: of the bodies.

        Raises:
            TransformRefused: SageMaker does not take it.
        """
        job = self._jobs.get(job.job_id)  # it was cut further, or cancelled, meanwhile
        if not job.workable or not job.cut.complete:
            return ""
        shards = list(self._shards.of(job.job_id))
        waiting = [shard for shard in shards if shard.state is ShardState.HANDED]
        if not waiting or any(map(_to_come, shards)):
            return ""
        round_ = max(shard.known_handed.round for shard in waiting)
        name = self.name(job.job_id, round_)
        if self.state(name) is None:
            bodies = [key for shard in waiting for key in self._lacking(shard)]
            if bodies:
                request = self._request(name, sagemaker_model, bodies, content_type)
                self._create(request, self._resources(round_, len(bodies)))
            if not self._jobs.get(job.job_id).workable:
                self.stop(name)
        return name

    def state(self, name: str) -> str | None:
        """Return how a transform job stands, in SageMaker's word; None if there is none."""
        try:
            return self._sagemaker.describe_transform_job(TransformJobName=name)[
                "TransformJobStatus"
            ]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("ValidationException", "ResourceNotFound"):
                return None
            raise

    def stop(self, name: str) -> None:
        """Let a transform job end early, if it runs."""
        if self.state(name) == "InProgress":
            self._sagemaker.stop_transform_job(TransformJobName=name)

    def _lacking(self, shard: Shard) -> list[str]:
        handed = shard.known_handed
        place = folder(shard.job_id, shard.number, handed.attempt)
        lacking = set(range(handed.bodies)) - self._staging.outputs(place)
        return [body_key(place, body) for body in sorted(lacking)]

    def _resources(self, round_: int, bodies: int) -> list[tuple[str, int]]:
        """Return what a job may run on, best first: all instances of any type before one of any."""
        first = (round_ - 1) % len(self._instance_types)
        types = self._instance_types[first:] + self._instance_types[:first]
        counts = dict.fromkeys((min(self._max_instances, bodies), 1))
        return [(one, count) for count in counts for one in types]

    def _request(self, name: str, model: str, bodies: list[str], content_type: str) -> Any:
        manifest = self._staging.put_manifest(name, bodies)
        return {
            "TransformJobName": name,
            "ModelName": model,
            "MaxConcurrentTransforms": 1,
            "MaxPayloadInMB": _MAX_BODY_MB,
            "ModelClientConfig": {
                "InvocationsTimeoutInSeconds": self._timeout_s,
                "InvocationsMaxRetries": _RETRIES,
            },
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}},
                "ContentType": content_type,
                "SplitType": "None",
            },
            "TransformOutput": {
                "S3OutputPath": self._staging.url("out/"),
                "AssembleWith": "None",
            },
        }

    def _create(self, request: Any, resources: list[tuple[str, int]]) -> None:
        """Have SageMaker take what *request* says, on the first of which there is a quota left."""
        (instance_type, count), *others = resources
        request["TransformResources"] = {
            "InstanceType": instance_type,
            "InstanceCount": count,
            "TransformAmiVersion": _AMI,
        }
        try:
            self._sagemaker.create_transform_job(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if passes(error):
                raise
            # Whoever was first has it started, and may have taken the last of the quota for it.
            if code in _EXISTS or self.state(request["TransformJobName"]) is not None:
                return
            if code != _NO_QUOTA or not others:
                raise TransformRefused(f"SageMaker refused its transform job ({code})") from error
            self._create(request, others)


def _to_come(shard: Shard) -> bool:
    """Whether a shard may be handed over yet."""
    done = shard.state in (ShardState.HANDED, ShardState.DONE)
    return not (done or shard.on_cpu or shard.handed is not None)

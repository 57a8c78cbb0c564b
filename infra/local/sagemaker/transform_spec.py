"""A transform job, as its runner needs to know it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.sagemaker.hosted import HostedModel
from infra.local.sagemaker.s3_location import S3Location

_MB = 1 << 20
# What SageMaker takes where a job does not say: CreateTransformJob, ModelClientConfig.
_PAYLOAD_MB, _TIMEOUT_S, _RETRIES = 6, 600, 3
# Where each object is one request and one output: all that is played.
_WHOLE: Mapping[str, frozenset[str]] = {
    "SplitType": frozenset({"None"}),
    "CompressionType": frozenset({"None"}),
    "AssembleWith": frozenset({"None"}),
}


class TransformNotPlayed(Exception):
    """A job that would have objects cut, unpacked or joined."""


@dataclass(frozen=True, slots=True)
class TransformSpec:
    """What to transform and how.

    Attributes:
        model: with the environment that the job adds.
        source: of a manifest, or the prefix of all objects.
        timeout_s: of one request, in SageMaker's seconds.
        retries: after a request that failed.
        concurrent: requests at once to each instance.
        largest_bytes: of an object.
    """

    name: str
    model: HostedModel
    source: S3Location
    is_manifest: bool
    output: S3Location
    content_type: str | None
    accept: str | None
    timeout_s: int
    retries: int
    concurrent: int
    largest_bytes: int
    instances: int

    @classmethod
    def read(cls, job: Mapping[str, Any], model: Mapping[str, Any]) -> "TransformSpec":
        """Read what DescribeTransformJob and DescribeModel answer.

        Raises:
            TransformNotPlayed: it asks for more than is played.
            ValueError: a location is none.
        """
        source, output = job["TransformInput"], job["TransformOutput"]
        _check_whole(source | output, job.get("DataProcessing", {}))
        objects, client = source["DataSource"]["S3DataSource"], job.get("ModelClientConfig", {})
        hosted, resources = HostedModel.read(model), job["TransformResources"]
        environment = {**hosted.environment, **job.get("Environment", {})}
        return cls(
            name=job["TransformJobName"],
            model=HostedModel(hosted.name, hosted.archive, environment),
            source=S3Location.parse(objects["S3Uri"]),
            is_manifest=objects["S3DataType"] == "ManifestFile",
            output=S3Location.parse(output["S3OutputPath"]),
            content_type=source.get("ContentType"),
            accept=output.get("Accept"),
            timeout_s=client.get("InvocationsTimeoutInSeconds", _TIMEOUT_S),
            retries=client.get("InvocationsMaxRetries", _RETRIES),
            concurrent=job.get("MaxConcurrentTransforms") or 1,
            largest_bytes=(job.get("MaxPayloadInMB", _PAYLOAD_MB) or 100) * _MB,
            instances=resources["InstanceCount"],
        )


def _check_whole(told: Mapping[str, Any], processing: Mapping[str, Any]) -> None:
    for member, played in _WHOLE.items():
        if told.get(member, "None") not in played:
            raise TransformNotPlayed(f"{member} {told[member]} is not played on this machine.")
    if processing and processing != {"JoinSource": "None"}:
        raise TransformNotPlayed("DataProcessing is not played on this machine.")

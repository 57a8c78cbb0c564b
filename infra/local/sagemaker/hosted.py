"""What SageMaker was told to host, as the player of it needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.sagemaker.s3_location import S3Location

# Where a config leaves it to SageMaker to choose "an optimal value".
_CONCURRENT = 4


@dataclass(frozen=True, slots=True)
class HostedModel:
    """A model: its archive, and the environment of its container."""

    name: str
    archive: S3Location
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> "HostedModel":
        """Read what DescribeModel answers."""
        containers = described.get("Containers", [{}])
        container = described.get("PrimaryContainer") or containers[0]
        archive = S3Location.parse(container.get("ModelDataUrl", ""))
        return cls(described["ModelName"], archive, container.get("Environment", {}))


@dataclass(frozen=True, slots=True)
class AsyncOutputs:
    """Where the outcomes of asynchronous invocations go, and who is told; None: nowhere, no one."""

    output: S3Location
    failure: S3Location | None
    success_topic: str | None
    error_topic: str | None


@dataclass(frozen=True, slots=True)
class HostedEndpoint:
    """An endpoint with the one variant that is played.

    Attributes:
        config: its config's name.
        initial: the count of instances that it is created with.
        concurrent: invocations at once that an instance takes.
        outputs: of an asynchronous endpoint; None for one that answers at once.
    """

    name: str
    config: str
    variant: str
    model: HostedModel
    initial: int
    concurrent: int
    outputs: AsyncOutputs | None

    @classmethod
    def read(
        cls, name: str, config: Mapping[str, Any], model: Mapping[str, Any]
    ) -> "HostedEndpoint":
        """Read what DescribeEndpointConfig and DescribeModel answer."""
        variant = config["ProductionVariants"][0]
        asynchronous = config.get("AsyncInferenceConfig")
        client = (asynchronous or {}).get("ClientConfig", {})
        return cls(
            name,
            config["EndpointConfigName"],
            variant["VariantName"],
            HostedModel.read(model),
            int(variant.get("InitialInstanceCount", 1)),
            int(client.get("MaxConcurrentInvocationsPerInstance", _CONCURRENT)),
            _outputs(asynchronous) if asynchronous else None,
        )


def _outputs(config: Mapping[str, Any]) -> AsyncOutputs:
    output = config["OutputConfig"]
    topics = output.get("NotificationConfig", {})
    failure = output.get("S3FailurePath")
    return AsyncOutputs(
        S3Location.parse(output["S3OutputPath"]),
        S3Location.parse(failure) if failure else None,
        topics.get("SuccessTopic"),
        topics.get("ErrorTopic"),
    )


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many instances Application Auto Scaling lets an endpoint have.

    Attributes:
        wakes: whether a backlog without an instance brings one: a step policy, and an alarm on
            `HasBacklogWithoutCapacity` that calls it.
        backlog_target: requests in the queue per instance, above which another comes; None where
            no policy tracks it.
    """

    least: int
    most: int
    wakes: bool
    backlog_target: float | None

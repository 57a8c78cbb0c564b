"""Endpoints: what SageMaker has of a version, by the names by which it is called there."""

from dataclasses import dataclass
from enum import StrEnum


class EndpointState(StrEnum):
    """How far SageMaker is with an endpoint."""

    CREATING = "creating"  # it will be, in minutes
    READY = "ready"  # it takes requests, though it may have no instance yet
    FAILED = "failed"  # or may not be made now; it is tried again, the later the oftener it failed


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    Attributes:
        name: as SageMaker knows it.
        reason: why it failed, in SageMaker's words without the account's number, or why it is not
            made; empty otherwise.
    """

    name: str
    state: EndpointState
    reason: str = ""

    @property
    def ready(self) -> bool:
        """Whether it takes requests."""
        return self.state is EndpointState.READY


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What SageMaker has of one version.

    Attributes:
        sagemaker_model: its name as SageMaker's model, which transform jobs run; empty while
            there is none.
        asynchronous: takes bodies through S3; None where no alias and no job wants it.
        realtime: answers at once; None where the version is not `realtime`.
    """

    sagemaker_model: str = ""
    asynchronous: Endpoint | None = None
    realtime: Endpoint | None = None

"""What stands at SageMaker, as it tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from headrace_runtime.model.endpoint import EndpointState

# An endpoint that scales is `Updating`, and answers all the while.
_STATES = {
    "Creating": EndpointState.CREATING,
    "Deleting": EndpointState.CREATING,  # the one that takes its place is made once it is gone
    "InService": EndpointState.READY,
    "Updating": EndpointState.READY,
    "SystemUpdating": EndpointState.READY,
    "RollingBack": EndpointState.READY,
    "Failed": EndpointState.FAILED,
    "OutOfService": EndpointState.FAILED,
    "UpdateRollbackFailed": EndpointState.FAILED,
}
_REMOVABLE = frozenset({"InService", "Failed", "OutOfService", "UpdateRollbackFailed"})


@dataclass(frozen=True, slots=True)
class Standing:
    """One endpoint.

    Attributes:
        status: in SageMaker's words.
        changed_at: when the status changed last.
        reason: why it failed, in SageMaker's words; empty where it did not.
        instances: of each type that it has at this moment, how many.
    """

    name: str
    status: str
    changed_at: datetime
    reason: str = ""
    instances: tuple[tuple[str, int], ...] = ()

    @property
    def state(self) -> EndpointState:
        """How far SageMaker is with it; a status that is not known is not ready."""
        return _STATES.get(self.status, EndpointState.CREATING)

    @property
    def removable(self) -> bool:
        """Whether SageMaker would delete it at this moment; while it changes it does not."""
        return self.status in _REMOVABLE


@dataclass(frozen=True, slots=True)
class Seen:
    """All that bears a stage's names, by its names.

    Attributes:
        scaled: endpoints whose scaling is all that it should be.
        scaling: endpoints, be they there or not, of whose scaling something is left.
    """

    models: frozenset[str] = frozenset()
    configs: frozenset[str] = frozenset()
    endpoints: Mapping[str, Standing] = field(default_factory=dict)
    scaled: frozenset[str] = frozenset()
    scaling: frozenset[str] = frozenset()

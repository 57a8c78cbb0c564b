"""What the control plane is told of an endpoint, and what it tells of its scaling."""

import time

from infra.local.sagemaker.control_plane import ControlPlane
from infra.local.sagemaker.hosted import HostedEndpoint, Scaling
from infra.local.sagemaker.state_events import StateEvents

_SCALING_HOLDS_S = 1.0


class EndpointReports:
    """Reports what has changed of one endpoint, and nothing twice.

    Args:
        status: what the control plane says of it.
    """

    def __init__(self, status: str, control: ControlPlane, events: StateEvents) -> None:
        self._control, self._events = control, events
        self._status, self._counts = status, (-1, -1)
        self._read_at = -_SCALING_HOLDS_S
        self._scaling: Scaling | None = None

    def heard(self, status: str) -> None:
        """Take note of what the control plane says by itself."""
        self._status = status

    def tell(
        self, hosted: HostedEndpoint, status: str, reason: str | None, counts: tuple[int, int]
    ) -> None:
        """Report an endpoint's status, and its counts of instances: ready, and all.

        The control plane's status is left as it is where ours has not changed: it may have been
        told to update meanwhile.
        """
        news = status != self._status
        if not news and counts == self._counts:
            return
        self._control.report(
            "endpoint",
            hosted.name,
            instances=counts[0],
            desired=counts[1],
            status=status if news else None,
            reason=reason if news else None,
            config=hosted.config if status == "InService" and news else None,
        )
        self._status, self._counts = status, counts
        if news:
            self._events.endpoint(hosted.name)

    def scaling(self, hosted: HostedEndpoint) -> Scaling | None:
        """Return how an endpoint scales, as it was a second ago at most."""
        if time.monotonic() - self._read_at > _SCALING_HOLDS_S:
            self._scaling = self._control.scaling(hosted)
            self._read_at = time.monotonic()
        return self._scaling

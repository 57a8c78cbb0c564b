"""The events that our functions tell EventBridge, for our own rules and for anybody's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """What an event says it is.

    Attributes:
        source: who tells it.
        kind: its `detail-type`.
    """

    source: str
    kind: str


# Told where an alias, or what it points to, has moved, or a version has come.
VERSIONS_MOVED = OwnEvent("headrace", "Versions Moved")
# Told at least once for each job that ends, however it does.
JOB_ENDED = OwnEvent("headrace", "Job Ended")

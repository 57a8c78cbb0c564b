"""Aliases: movable names, with a canary on trial or without."""

from dataclasses import dataclass

from headrace_runtime.errors import Conflict, InvalidInput
from headrace_runtime.model import names

LIVE = "live"  # the alias that answers where a caller names none


@dataclass(frozen=True, slots=True)
class Canary:
    """A version on trial and its weight: the share of requests it serves, in (0, 1]."""

    version: int
    weight: float

    def __post_init__(self) -> None:
        if not 0.0 < self.weight <= 1.0:
            raise InvalidInput(f"a canary's weight must be in (0, 1], got {self.weight}")


@dataclass(frozen=True, slots=True)
class Alias:
    """Where an alias points.

    Attributes:
        version: serves every request that the canary does not.
        canary: the version on trial, or None.
        revision: how often the alias was written, 1 when new; a write names the one it replaces.
    """

    name: str
    version: int
    canary: Canary | None = None
    revision: int = 1

    def __post_init__(self) -> None:
        names.alias_name(self.name)
        if self.canary is not None and self.canary.version == self.version:
            raise InvalidInput(f"version {self.version} cannot be its own canary")

    def route(self, draw: float) -> int:
        """Return the version for one request; *draw* is uniform in [0, 1)."""
        if self.canary is not None and draw < self.canary.weight:
            return self.canary.version
        return self.version

    def moved(self, version: int, canary: Canary | None = None) -> "Alias":
        """Return the alias as it stands once it points to *version*."""
        return Alias(self.name, version, canary, self.revision + 1)

    def promote(self) -> "Alias":
        """Let the canary serve everyone.

        Raises:
            Conflict: there is no canary.
        """
        if self.canary is None:
            raise Conflict(f"alias {self.name!r} has no canary to promote")
        return self.moved(self.canary.version)

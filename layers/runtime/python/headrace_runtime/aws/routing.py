"""Which version answers: aliases and endpoints are read now and then, versions once."""

from collections.abc import Callable
from typing import Any, TypeVar

from headrace_runtime.aws.registry import Registry
from headrace_runtime.errors import AliasNotFound, NoVersionAccepted, Unavailable
from headrace_runtime.model.alias import Alias
from headrace_runtime.model.endpoint import Endpoints
from headrace_runtime.model.manifest import Manifest

K = TypeVar("K")
T = TypeVar("T")

_MOST = 1000  # of aliases, of endpoints and of manifests, that are remembered


class Routing:
    """Reads the registry and remembers: an alias for a while, a version, which never changes, on.

    What SageMaker has of a version is remembered as an alias is. While the registry does not
    answer, what was read before stays believed.
    """

    def __init__(
        self, registry: Registry, *, alias_ttl_s: float, clock: Callable[[], float]
    ) -> None:
        """Remember an alias for *alias_ttl_s* seconds of *clock*, which never runs back."""
        self._registry = registry
        self._alias_ttl_s = alias_ttl_s
        self._clock = clock
        self._aliases: dict[tuple[str, str], tuple[Alias, float]] = {}
        self._endpoints: dict[tuple[str, int], tuple[Endpoints | None, float]] = {}
        self._manifests: dict[tuple[str, int], Manifest] = {}

    def manifest(self, model: str, reference: int | str, *, draw: float) -> Manifest:
        """Return the version that answers one request.

        Args:
            model: the model's name.
            reference: a version, or an alias.
            draw: uniform in [0, 1), decides between version and canary; 1.0 is never a canary's.

        Raises:
            ModelNotFound, VersionNotFound, AliasNotFound: there is no such thing.
            NoVersionAccepted: whatever was dropped for the model was refused.
            Unavailable: the registry does not answer, and was not read before.
        """
        version = reference
        if isinstance(version, str):
            version = self._alias(model, version).route(draw)
        key = model, version
        if key not in self._manifests:
            _make_room(self._manifests)
            self._manifests[key] = self._registry.manifest(model, version)
        return self._manifests[key]

    def endpoints(self, model: str, version: int) -> Endpoints | None:
        """Return what SageMaker has of a version, or None where it has nothing of it.

        Raises:
            Unavailable: the registry does not answer, and was not read before.
        """
        return self._believed(self._endpoints, (model, version), self._registry.endpoints)

    def _alias(self, model: str, name: str) -> Alias:
        return self._believed(self._aliases, (model, name), self._read)

    def _believed(
        self,
        kept: dict[tuple[str, K], tuple[T, float]],
        key: tuple[str, K],
        read: Callable[[str, K], T],
    ) -> T:
        now = self._clock()
        before = kept.get(key)
        if before is not None and now < before[1]:
            return before[0]
        try:
            found = read(*key)
        except Unavailable:
            if before is None:
                raise
            found = before[0]
        _make_room(kept)
        kept[key] = found, now + self._alias_ttl_s
        return found

    def _read(self, model: str, name: str) -> Alias:
        try:
            return self._registry.alias(model, name)
        except AliasNotFound:
            if self._registry.latest(model) == 0:
                refusals = self._registry.refusals(model)
                last = max(refusals, key=lambda refusal: refusal["refused_at"], default=None)
                raise NoVersionAccepted(model, last["error"] if last else None) from None
            raise


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= _MOST:
        remembered.clear()

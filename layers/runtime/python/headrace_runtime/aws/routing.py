"""Which version answers: aliases are read now and then, versions once."""

from collections.abc import Callable
from typing import Any

from headrace_runtime.aws.registry import Registry
from headrace_runtime.errors import AliasNotFound, NoVersionAccepted, Unavailable
from headrace_runtime.model.alias import Alias
from headrace_runtime.model.manifest import Manifest

_MOST = 1000  # of aliases, and of manifests, that are remembered


class Routing:
    """Reads the registry and remembers: an alias for a while, a version, which never changes, on.

    While the registry does not answer, an alias that was read before stays believed.
    """

    def __init__(
        self, registry: Registry, *, alias_ttl_s: float, clock: Callable[[], float]
    ) -> None:
        """Remember an alias for *alias_ttl_s* seconds of *clock*, which never runs back."""
        self._registry = registry
        self._alias_ttl_s = alias_ttl_s
        self._clock = clock
        self._aliases: dict[tuple[str, str], tuple[Alias, float]] = {}
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

    def _alias(self, model: str, name: str) -> Alias:
        now = self._clock()
        alias, until = self._aliases.get((model, name), (None, now))
        if alias is None or until <= now:
            try:
                alias = self._read(model, name)
            except Unavailable:
                if alias is None:
                    raise
            _make_room(self._aliases)
            self._aliases[model, name] = alias, now + self._alias_ttl_s
        return alias

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

"""Loaded models within a bound of memory, the least recently used out first."""

from collections import OrderedDict
from collections.abc import Callable

from headrace_runtime.inference.session import Session
from headrace_runtime.model.manifest import Manifest


class SessionCache:
    """Keeps sessions by digest. For one thread: Lambda gives a process one event at a time."""

    def __init__(self, memory_bytes: int, *, load: Callable[[Manifest], Session]) -> None:
        """Keep at most *memory_bytes* of models, estimated; a larger model is kept alone."""
        self._memory_bytes = memory_bytes
        self._load = load
        self._sessions: OrderedDict[str, tuple[Session, int]] = OrderedDict()

    def session(self, manifest: Manifest) -> Session:
        """Return the version's session, loaded if need be; others leave to make room for it.

        Whatever `load` raises passes through, and nothing is kept then.
        """
        kept = self._sessions.get(manifest.digest)
        if kept is not None:
            self._sessions.move_to_end(manifest.digest)
            return kept[0]
        size = estimated_bytes(manifest)
        while self._sessions and self._held_bytes() + size > self._memory_bytes:
            self._sessions.popitem(last=False)
        session = self._load(manifest)
        self._sessions[manifest.digest] = session, size
        return session

    def _held_bytes(self) -> int:
        return sum(size for _, size in self._sessions.values())


def estimated_bytes(manifest: Manifest) -> int:
    """Return what the version takes in memory: what its trial took, at least its files' size."""
    stored = sum(file.size_bytes for file in manifest.files)
    return max(manifest.profile.peak_memory_bytes, stored)

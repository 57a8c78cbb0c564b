"""How much memory a process and its children hold, and the end of those that hold too much."""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread

from infra.local.process_family import family, listed_processes

_EVERY_S = 0.05
_PROC = Path("/proc")


class MemoryWatch:
    """Looks at working processes every 50 ms; whoever is above its cap is ended.

    A process can pass its cap for that long: unlike Lambda's, the cap is seen, not enforced.
    """

    def __init__(self) -> None:
        self._watched: dict[int, tuple[int, Callable[[int], None]]] = {}
        self._lock = Lock()
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="memory-watch", daemon=True)
        self._thread.start()

    def watch(self, pid: int, cap_bytes: int, end: Callable[[int], None]) -> None:
        """Call *end* with the bytes held, once, when *pid* and its children pass the cap."""
        with self._lock:
            self._watched[pid] = (cap_bytes, end)

    def forget(self, pid: int) -> None:
        """Stop looking at *pid*."""
        with self._lock:
            self._watched.pop(pid, None)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY_S):
            with self._lock:
                watched = list(self._watched.items())
            for pid, (cap_bytes, end) in watched:
                held = held_bytes(pid)
                if held > cap_bytes:
                    self.forget(pid)
                    end(held)


def held_bytes(pid: int) -> int:
    """Return the bytes that a process and its descendants hold; 0 when it is gone.

    What the kernel cannot take back: mapped files, such as libraries and the weights of a mapped
    model, are not counted, as they would not be at the cap that Lambda's kernel enforces.
    """
    if sys.platform == "linux":
        return sum(_held_alone(member) for member in family(pid))
    # Resident bytes, mapped files among them: the nearest that other systems tell.
    members = set(family(pid))
    return sum(rss << 10 for member, _, rss in listed_processes() if member in members)


def _held_alone(pid: int) -> int:
    held = 0
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(("RssAnon:", "RssShmem:", "VmSwap:")):
                held += int(line.split()[1]) << 10
    return held

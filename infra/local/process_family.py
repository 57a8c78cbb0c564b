"""A process and all that it started, whatever groups and sessions those are in."""

import contextlib
import subprocess
import sys
from pathlib import Path

_PROC = Path("/proc")


def family(pid: int) -> list[int]:
    """Return a process and its living descendants, itself first.

    What was started by one of them that has ended meanwhile is missing: nothing tells of it.
    """
    members = [pid]
    if sys.platform == "linux":
        for member in members:  # grows as it goes
            members.extend(_children(member))
    else:
        parents = {child: parent for child, parent, _ in listed_processes()}
        for member in members:
            members.extend(child for child, parent in parents.items() if parent == member)
    return members


def listed_processes() -> list[tuple[int, int, int]]:
    """Return each process of the machine, its parent, and the kilobytes that are resident."""
    printed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=False
    ).stdout
    rows = (line.split() for line in printed.splitlines())
    return [(int(pid), int(parent), int(rss)) for pid, parent, rss in rows]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            found.extend(int(child) for child in (task / "children").read_text().split())
    return found

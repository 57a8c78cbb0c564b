"""What outlives the local cloud by a moment and clears up after it: `python keeper.py FILE...`.

It holds the reading end of a pipe whose other end only the cloud has. When the cloud is gone, by
whatever death, the pipe ends: every process group that was announced on it is killed and the
files and folders named on the command line are removed. Nothing else could do so after `kill -9`,
and it reaches what functions started themselves.

The lines that it reads: `+<process group>` as one starts, `-<process group>` as one has ended.
"""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterable
from pathlib import Path


def groups_left(lines: Iterable[str]) -> set[int]:
    """Read to the end, and return the process groups that started and never ended."""
    groups: set[int] = set()
    for line in lines:
        sign, group = line[:1], int(line[1:])
        if sign == "+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Wait for the cloud's end and clear up."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    for group in groups_left(sys.stdin):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for name in sys.argv[1:]:
        path = Path(name)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

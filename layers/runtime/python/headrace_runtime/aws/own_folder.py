"""A folder for files that are of use to one process alone; what a dead one left is removed.

AWS Lambda keeps /tmp where it kills a process for its time or memory, and starts the next one
beside what that left. Whose folder it is says a lock, which ends with the process.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "headrace-own-"


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """Give an empty folder, *name* in its own name; it is gone when the context ends."""
    with _locked(Path(tempfile.gettempdir())) as everywhere:
        _remove_left(everywhere)
        folder = tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{name}-")
        lock = os.open(folder.name, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with folder:
            yield Path(folder.name)
    finally:
        os.close(lock)


def _remove_left(everywhere: Path) -> None:
    for folder in everywhere.glob(f"{_PREFIX}*"):
        # Not what is in use, or another user's.
        with suppress(OSError), _locked(folder, fcntl.LOCK_NB):
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path, how: int = 0) -> Iterator[Path]:
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | how)
        yield folder
    finally:
        os.close(lock)

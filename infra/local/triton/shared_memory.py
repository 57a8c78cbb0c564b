"""What Triton shares with its backends: files in /dev/shm that outlive a server that is killed."""

import os
import re
import uuid
from pathlib import Path

_FOLDER = Path("/dev/shm")  # noqa: S108 - where the kernel has it, not a file of ours
_NAME = re.compile(r"headrace-(\d+)-")


def new_prefix() -> str:
    """Return the beginning of names that no other server uses; it tells who started it."""
    return f"headrace-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def remove(prefix: str) -> None:
    """Remove what one server left."""
    for file in _FOLDER.glob(f"{prefix}*"):
        file.unlink(missing_ok=True)


def remove_orphans() -> None:
    """Remove what servers left whose starter is gone too, by `kill -9` say."""
    for file in _FOLDER.glob("headrace-*"):
        owner = _NAME.match(file.name)
        if owner and not Path("/proc", owner[1]).exists():
            file.unlink(missing_ok=True)

"""Whether sources changed: cheap enough to ask before every call."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

_NOT_SOURCES = frozenset({"__pycache__"})


class SourceStamp:
    """Watches folders by the modification times of the files in them.

    A folder's own time tells of files that came and went, so between changes it is enough to
    ask for the times of what is known: a microsecond or two a file.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._roots = tuple(map(str, folders))
        self._folders: tuple[str, ...] = ()
        self._files: tuple[str, ...] = ()
        self._seen: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
        self._number = 0

    def read(self) -> int:
        """Return a number that is another whenever a file was edited, added or removed."""
        if not self._folders or (_times(self._folders), _times(self._files)) != self._seen:
            before = self._files, self._seen[1]
            self._folders, self._files = _walk(self._roots)
            self._seen = _times(self._folders), _times(self._files)
            # A folder's time alone may have changed: Python writes its __pycache__ there.
            self._number += before != (self._files, self._seen[1])
        return self._number

    @property
    def just_edited(self) -> bool:
        """Whether a file changed in the last two seconds.

        Python tells a stale .pyc by the source's size and its time in whole seconds, so what
        it writes of a file that is edited twice in a second may pass for the second edit.
        """
        newest_ns = max(self._seen[1], default=0)
        return time.time_ns() - newest_ns < 2_000_000_000


def _times(paths: tuple[str, ...]) -> tuple[int, ...]:
    try:
        return tuple([os.stat(path).st_mtime_ns for path in paths])  # noqa: PTH116 - Path costs more than the call
    except OSError:
        return ()


def _walk(roots: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    folders, files = list(roots), list[str]()
    for folder in folders:  # grows as it goes
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name in _NOT_SOURCES:
                continue
            (folders if entry.is_dir() else files).append(entry.path)
    return tuple(folders), tuple(files)

"""Folders that are built once, and are the same to the last bit wherever that was."""

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

# The first moment that a zip file can hold; CDK gives it to every file, too.
LONG_AGO = 315_532_800
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def build_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Return *folder*, filled by *fill* if it does not stand yet.

    It stands whole or not at all, whoever else builds it meanwhile. Dates and modes of its files
    are always the same: CDK puts the modes into the zip file that it uploads.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".draft-") as scratch:
        draft = Path(scratch) / "draft"
        draft.mkdir()
        fill(draft)
        for path in [*draft.rglob("*"), draft]:
            path.chmod(0o755 if path.is_dir() else 0o644)
            os.utime(path, (LONG_AGO, LONG_AGO))
        # Somebody else may have built the same meanwhile.
        with contextlib.suppress(OSError):
            draft.rename(folder)
    return folder


def size_bytes(folder: Path) -> int:
    """Return what the files of *folder* take together, as Lambda counts it, unzipped."""
    return sum(path.stat().st_size for path in _files(folder))


def content_digest(folder: Path) -> str:
    """Return the SHA-256 of *folder* as a zip file: names, modes, dates and bytes of its files.

    Nothing is compressed in it, so that it does not depend on who compresses how.
    """
    digest = hashlib.sha256()
    sink = cast("IO[bytes]", _Sink(digest.update))
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for path in _files(folder):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), _ZIP_DATE)
            entry.external_attr = path.stat().st_mode << 16
            archive.writestr(entry, path.read_bytes())
            digest.update(int(path.stat().st_mtime).to_bytes(8))
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


class _Sink:
    """A file that can only be written; zipfile asks for no more."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def write(self, data: bytes) -> int:
        self._take(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

"""The `model.tar.gz` from which Triton serves a model on SageMaker."""

import gzip
import hashlib
import tarfile
from io import BytesIO
from pathlib import Path

from headrace_runtime.model.triton_config import MODEL_FILE, MODEL_FOLDER

# Weights hardly shrink (7 of 100), and level 1 takes fourteen times the CPU: nothing is squeezed.
_LEVEL = 0


def write_archive(graph: Path, config: str, folder: Path) -> Path:
    """Write the archive of one model into *folder* and return its path, read from disk as it goes.

    The same graph and configuration give the same bytes, and the name holds their sha256, so that
    archives that differ, be it by the release of a library, lie beside each other.

    Args:
        graph: the model, one file.
        config: its `config.pbtxt`.
        folder: where there is room for as much again.
    """
    unnamed = folder / "model.tar.gz"
    with (
        unnamed.open("wb") as file,
        gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.USTAR_FORMAT) as archive,
        graph.open("rb") as content,
    ):
        text = config.encode()
        archive.addfile(_member(f"{MODEL_FOLDER}/config.pbtxt", len(text)), BytesIO(text))
        size = graph.stat().st_size
        archive.addfile(_member(f"{MODEL_FOLDER}/1/{MODEL_FILE}", size), content)
    with unnamed.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return unnamed.rename(folder / f"model-{digest[:16]}.tar.gz")


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    """Return a member of no one and no time: what it is not given is 0."""
    member = tarfile.TarInfo(name)
    member.size = size_bytes
    return member

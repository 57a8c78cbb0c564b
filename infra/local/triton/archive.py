"""The archive that goes to SageMaker, unpacked as its container finds it."""

import tarfile
from pathlib import Path

MODEL = "model"
_MAX_BYTES = 8 << 30


class ArchiveRefused(Exception):
    """A model.tar.gz that no SageMaker container could serve, or that leads out of its folder."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The archive cannot be served: {reason}")


def unpack(archive: Path, repository: Path) -> None:
    """Unpack model.tar.gz into a folder that is new.

    Raises:
        ArchiveRefused: it is no gzipped tar, holds links, devices or paths that lead elsewhere,
            more than 8 GiB, or not `model/config.pbtxt` and `model/1/model.onnx`.
    """
    repository.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:gz") as members:
            left = _MAX_BYTES
            for member in members:
                if not (member.isfile() or member.isdir()):
                    raise ArchiveRefused(f"{member.name} is neither a file nor a folder")
                left -= member.size
                if left < 0:
                    raise ArchiveRefused("it holds more than 8 GiB")
                members.extract(member, repository, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArchiveRefused(str(error)) from error
    for needed in ("config.pbtxt", "1/model.onnx"):
        if not (repository / MODEL / needed).is_file():
            raise ArchiveRefused(f"it lacks {MODEL}/{needed}")

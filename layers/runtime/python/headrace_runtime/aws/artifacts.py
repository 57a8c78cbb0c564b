"""A version's files, from the models bucket onto the disk, every byte checked."""

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from headrace_runtime.aws.own_folder import own_folder
from headrace_runtime.errors import DigestMismatch, ObjectNotFound, Unavailable
from headrace_runtime.model.manifest import Manifest, StoredFile

_CHUNK_BYTES = 1 << 20
_TRIES = 3
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class S3(Protocol):
    """What is needed of an S3 client: boto3's, or the light one of `predict`."""

    @property
    def get_object(self) -> Callable[..., Mapping[str, Any]]:
        """Answers as boto3's `get_object` does."""
        ...


class Artifacts:
    """Fetches what the registry says is served."""

    def __init__(self, bucket: str, *, s3: S3) -> None:
        self._bucket = bucket
        self._s3 = s3

    @contextmanager
    def fetched(self, manifest: Manifest) -> Iterator[Path]:
        """Give the path of the graph, its other files beside it, while the context lasts.

        The files are private to the context and gone after it; a model that was loaded meanwhile
        keeps the weights that it mapped.

        Raises:
            DigestMismatch: a file is not what was registered, or is gone; nothing was given.
            Unavailable: S3 broke off again and again, or the disk has no room.
        """
        with own_folder(manifest.digest[:12]) as directory:
            for file in manifest.files:
                self._fetch(file, directory / file.file_name)
            yield directory / manifest.files[0].file_name

    def _fetch(self, file: StoredFile, path: Path) -> None:
        for _ in range(_TRIES):
            try:
                digest = self._download(file.key, path)
            except ObjectNotFound:  # whoever called for a prediction asked for no object
                digest = "nothing"
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                raise Unavailable(f"the disk has no room for {file.size_bytes:,} bytes") from error
            if digest == file.digest:
                return
            if digest is not None:
                raise DigestMismatch(file.key, expected=file.digest, got=digest)
        raise Unavailable(f"S3 broke off in {file.key!r} again and again")

    def _download(self, key: str, path: Path) -> str | None:
        """Write the object to *path*; return its sha256, None where S3 broke off."""
        answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        seen, size = sha256(), 0
        with path.open("wb") as out:
            try:
                while chunk := answer["Body"].read(_CHUNK_BYTES):
                    out.write(chunk)
                    seen.update(chunk)
                    size += len(chunk)
            except (ConnectionError, TimeoutError):
                return None
        return seen.hexdigest() if size == answer["ContentLength"] else None

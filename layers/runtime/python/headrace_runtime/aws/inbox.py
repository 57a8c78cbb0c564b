"""Dropped files as streams of bytes, read on from where a connection broke."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from headrace_runtime.batch.source import Source
from headrace_runtime.errors import InvalidInput, ObjectNotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TRIES = 5  # without a single byte between them

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchBucket", "MethodNotAllowed", "404"})
_DENIED = {
    "AccessDenied": "Headrace may not read it, or it is gone",
    "InvalidObjectState": "it is archived: restore it and drop it again",
    "KMS.DisabledException": "its encryption key is disabled",
    "KMS.KMSInvalidStateException": "its encryption key cannot be used",
    "PreconditionFailed": "it was replaced while it was read",
    "InvalidRange": "it is shorter than its event said",
}


class Inbox:
    """Reads dropped files."""

    def __init__(self, *, s3: "S3Client") -> None:
        self._s3 = s3

    def head(self, source: Source, size: int) -> tuple[bytes, dict[str, str]]:
        """Return the first *size* bytes of a file that is not empty, and its metadata.

        Raises:
            ObjectNotFound, InvalidInput: as `open`.
        """
        try:
            answer = self._s3.get_object(**_request(source), Range=f"bytes=0-{size - 1}")
            return answer["Body"].read(), dict(answer["Metadata"])
        except ClientError as error:
            raise _translated(error, source) from error

    def dropped(self, bucket: str) -> Iterator[tuple[Source, datetime]]:
        """Yield every version of every file that lies in the inbox, and when it was dropped."""
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                version = one["VersionId"]
                source = Source(
                    bucket,
                    one["Key"],
                    None if version == "null" else version,
                    one["ETag"].strip('"'),
                    one["Size"],
                )
                if not source.is_folder:
                    yield source, one["LastModified"]

    def at_random(self, source: Source) -> "RandomObject":
        """Return the file as it can be read at random; nothing is read yet."""
        return RandomObject(source, self._s3)

    def open(self, source: Source, offset: int = 0) -> "DroppedFile":
        """Return the file from a byte on, exactly the version that *source* names.

        Raises:
            ObjectNotFound: that version is gone.
            InvalidInput: it is there and cannot be read, for a reason that a retry will not mend.
        """
        return DroppedFile(source, offset, self._s3)


@dataclass(frozen=True, slots=True)
class RandomObject:
    """One version of one object, read at random."""

    source: Source
    s3: "S3Client"

    @property
    def size_bytes(self) -> int:
        """Of the whole object."""
        return self.source.size_bytes

    def read_at(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset* on.

        Raises:
            ObjectNotFound, InvalidInput: as `Inbox.open`.
            Unavailable: the connection broke again and again.
        """
        file, parts = DroppedFile(self.source, offset, self.s3, size), []
        while data := file.read(size):
            parts.append(data)
        return b"".join(parts)


class DroppedFile:
    """One version of one object, read once from a byte on, to its end or so many bytes."""

    def __init__(
        self, source: Source, offset: int, s3: "S3Client", size: int | None = None
    ) -> None:
        self._source = source
        self._s3 = s3
        self._offset = offset
        self._stop = None if size is None else offset + size
        self._body, self._size = self._from(offset)

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes, b"" once the whole file was read.

        Raises:
            Unavailable: the connection broke again and again.
            ObjectNotFound, InvalidInput: the file went away meanwhile.
        """
        for _ in range(_TRIES):
            try:
                data: bytes = self._body.read(size)
            except (HTTPClientError, HTTPError, OSError):
                data = b""
            self._offset += len(data)
            if data or self._offset == self._size:
                return data
            self._body, _ = self._from(self._offset)
        raise Unavailable(f"S3 broke off after {self._offset:,} bytes of {self._source.key!r}")

    def _from(self, offset: int) -> tuple[Any, int]:
        """Return the body from *offset* on, and the size of the whole file."""
        source = self._source
        request = _request(source)
        if offset or self._stop is not None:
            last = "" if self._stop is None else self._stop - 1
            request["Range"] = f"bytes={offset}-{last}"
        try:
            answer = self._s3.get_object(**request)
        except ClientError as error:
            raise _translated(error, source) from error
        return answer["Body"], offset + answer["ContentLength"]


def _request(source: Source) -> dict[str, Any]:
    version = {"VersionId": source.version_id} if source.version_id else {"IfMatch": source.etag}
    return {"Bucket": source.bucket, "Key": source.key, **version}


def _translated(error: ClientError, source: Source) -> Exception:
    code = error.response["Error"]["Code"]
    if code in _GONE:
        return ObjectNotFound(source.bucket, source.key)
    if code in _DENIED:
        return InvalidInput(f"object {source.key!r} cannot be read: {_DENIED[code]}")
    return error

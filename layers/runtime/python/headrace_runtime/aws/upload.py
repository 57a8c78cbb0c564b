"""One object of any size, uploaded in parts, in the memory of one part."""

from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from headrace_runtime.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# At least 5 MiB by S3's rule; its 10,000 parts of 8 MiB make 78 GiB.
PART_BYTES = 8 << 20
# An object that is about to need more parts than S3 takes is `full`.
_MANY_PARTS = 9_000


class Upload:
    """Takes bytes; the object stands, whole, after `complete` and not before.

    What fits in one part is written in one request, so a small file costs no multipart upload.

    Attributes:
        size_bytes: taken so far.
    """

    def __init__(self, bucket: str, key: str, *, s3: "S3Client") -> None:
        self._bucket = bucket
        self._key = key
        self._s3 = s3
        self._part = BytesIO()  # one for all parts: fresh memory costs more than what is copied
        self._hash = sha256()
        self.size_bytes = 0
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    def write(self, data: bytes) -> None:
        """Take more bytes."""
        self._hash.update(data)
        self.size_bytes += len(data)
        rest = memoryview(data)
        while rest:
            room = PART_BYTES - self._part.tell()
            self._part.write(rest[:room])
            rest = rest[room:]
            if self._part.tell() == PART_BYTES:
                self._send()

    @property
    def sha256(self) -> str:
        """Of the bytes taken so far, as hex digits."""
        return self._hash.hexdigest()

    @property
    def full(self) -> bool:
        """Whether it should not take much more."""
        return len(self._parts) >= _MANY_PARTS

    @property
    def held(self) -> bytes | None:
        """All that was taken, while it is small enough to be held; else None."""
        return self._part.getvalue() if self._upload_id is None else None

    def complete(self) -> None:
        """Let the object stand, unless one stands already.

        Raises:
            Unavailable: another worker writes it at this moment; nothing was written.
        """
        try:
            if self._upload_id is None:
                body = self._part.getvalue()
                self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=body, IfNoneMatch="*")
                return
            if self._part.tell():
                self._send()
            self._s3.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload_id,
                MultipartUpload={"Parts": self._parts},
                IfNoneMatch="*",
            )
        except ClientError as error:
            if not refused_as_second(error, self._key):
                raise
            self.abort()

    def abort(self) -> None:
        """Let go of the parts; without effect once the object stands."""
        self._part = BytesIO()
        if self._upload_id is None:
            return
        with suppress(self._s3.exceptions.NoSuchUpload):
            self._s3.abort_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id
            )
        self._upload_id = None

    def _send(self) -> None:
        if self._upload_id is None:
            made = self._s3.create_multipart_upload(Bucket=self._bucket, Key=self._key)
            self._upload_id = made["UploadId"]
        self._part.truncate()  # behind the last part there may be what is left of the one before
        self._part.seek(0)
        number = len(self._parts) + 1
        answer = self._s3.upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload_id,
            PartNumber=number,
            Body=self._part,
        )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._part.seek(0)


def refused_as_second(error: ClientError, key: str) -> bool:
    """Whether S3 refused a write because the object stands already.

    Raises:
        Unavailable: it refused because another write of it is under way.
    """
    code = error.response["Error"]["Code"]
    if code == "ConditionalRequestConflict":
        raise Unavailable(f"object {key!r} is being written by another worker") from error
    return code == "PreconditionFailed"

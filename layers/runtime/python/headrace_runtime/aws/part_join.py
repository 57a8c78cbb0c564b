"""Parts of results become one object, which appears whole or not at all, and never twice."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.upload import PART_BYTES, refused_as_second
from headrace_runtime.batch.joining import MIN_PIECE_BYTES, Piece, pieces
from headrace_runtime.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_AT_ONCE = 8  # copies that S3 makes for us alongside each other


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is part of another: where it lies, or its bytes where they are at hand."""

    key: str
    size_bytes: int
    body: bytes | None = None


Join = Callable[[str, Sequence[Stored]], None]


class PartJoin:
    """Joins objects of one bucket."""

    def __init__(self, results: ResultsBucket, *, s3: "S3Client") -> None:
        self._results = results
        self._s3 = s3

    def join(self, key: str, parts: Sequence[Stored]) -> None:
        """Let the object at *key* be *parts*, one behind the other; one that stands stays.

        Raises:
            Unavailable: a part is gone, or another worker writes the object at this moment:
                nothing was written.
        """
        if sum(part.size_bytes for part in parts) <= PART_BYTES:
            whole = b"".join(self._bytes(part, 0, part.size_bytes) for part in parts)
            self._results.put_new(key, whole)
            return
        bucket = self._results.bucket
        upload = self._s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        try:
            wanted = list(pieces([part.size_bytes for part in parts]))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                made = list(
                    pool.map(
                        lambda number, piece: self._piece(key, upload, number, piece, parts),
                        range(1, len(wanted) + 1),
                        wanted,
                    )
                )
            self._s3.complete_multipart_upload(
                Bucket=bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": made},
                IfNoneMatch="*",
            )
        except BaseException as error:
            self._s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
            if not (isinstance(error, ClientError) and refused_as_second(error, key)):
                raise

    def _piece(
        self, key: str, upload: str, number: int, piece: Piece, parts: Sequence[Stored]
    ) -> "CompletedPartTypeDef":
        bucket, first = self._results.bucket, piece[0]
        alone = len(piece) == 1 and first.size_bytes >= MIN_PIECE_BYTES
        if alone and parts[first.part].body is None:
            copied = self._s3.upload_part_copy(
                Bucket=bucket,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                CopySource={"Bucket": bucket, "Key": parts[first.part].key},
                CopySourceRange=f"bytes={first.start}-{first.stop - 1}",
            )
            return {"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]}
        body = b"".join(self._bytes(parts[s.part], s.start, s.stop) for s in piece)
        sent = self._s3.upload_part(
            Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body
        )
        return {"PartNumber": number, "ETag": sent["ETag"]}

    def _bytes(self, part: Stored, start: int, stop: int) -> bytes:
        if start == stop:
            return b""
        if part.body is not None:
            return part.body[start:stop]
        body = self._results.read(part.key, start, stop)
        if body is None or len(body) != stop - start:
            raise Unavailable(f"part {part.key!r} is gone: another worker has joined it")
        return body

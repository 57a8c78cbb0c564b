"""Results, written whole or not at all, and never twice; and the parts that they are made of."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from headrace_runtime.aws.upload import Upload, refused_as_second
from headrace_runtime.batch.job_key import PARTS
from headrace_runtime.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_TRIES = 3


def part_key(job_id: str, shard: int, attempt: int, kind: str) -> str:
    """Return the key of what one run writes of a shard; *kind* is `results` or `errors`.

    What is left there is removed by a rule of the bucket.
    """
    return f"{PARTS}{job_id}/{shard:08}.{attempt}.{kind}"


class ResultsBucket:
    """Writes what jobs give."""

    def __init__(self, bucket: str, *, s3: "S3Client") -> None:
        self.bucket = bucket
        self._s3 = s3

    @contextmanager
    def writing(self, key: str) -> Iterator[Upload]:
        """Give what takes an object's bytes; its `complete` lets it stand.

        Where the context is left without that, by an error or not, nothing is written.
        """
        upload = Upload(self.bucket, key, s3=self._s3)
        try:
            yield upload
        finally:
            upload.abort()

    def put_new(self, key: str, body: bytes) -> bool:
        """Write the object if there is none; return whether it was written.

        Raises:
            Unavailable: another worker writes it at this moment; nothing was written.
        """
        try:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if refused_as_second(error, key):
                return False
            raise
        return True

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return an object's bytes from *start* to before *stop*, None where there is none.

        Raises:
            Unavailable: S3 broke off again and again.
        """
        span = f"bytes={start}-" if stop is None else f"bytes={start}-{stop - 1}"
        for _ in range(_TRIES):
            try:
                answer = self._s3.get_object(Bucket=self.bucket, Key=key, Range=span)
            except self._s3.exceptions.NoSuchKey:
                return None
            try:
                body = answer["Body"].read()
            except (HTTPClientError, HTTPError, OSError):
                continue
            if len(body) == answer["ContentLength"]:
                return body
        raise Unavailable(f"S3 broke off in {key!r} again and again")

    def remove(self, keys: Iterable[str]) -> None:
        """Remove parts; one that is not there any more is none."""
        listed = list(keys)
        for start in range(0, len(listed), 1000):
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": key} for key in listed[start : start + 1000]
            ]
            self._s3.delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})

"""Results, written whole or not at all, and never twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from headrace_runtime.aws.upload import Upload, refused_as_second

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ResultsBucket:
    """Writes what jobs give."""

    def __init__(self, bucket: str, *, s3: "S3Client") -> None:
        self.bucket = bucket
        self._s3 = s3

    @contextmanager
    def writing(self, key: str) -> Iterator[Upload]:
        """Give what takes the object's bytes; it stands, whole, once the context is left.

        An object that stands already stays as it is: a job that is run again gives the same.
        Where the context is left by an error nothing is written.

        Raises:
            Unavailable: another worker writes it at this moment; nothing was written.
        """
        upload = Upload(self.bucket, key, s3=self._s3)
        try:
            yield upload
            upload.complete()
        except BaseException:
            upload.abort()
            raise

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

    def read(self, key: str) -> bytes | None:
        """Return a small object's bytes, None where there is none."""
        try:
            return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None

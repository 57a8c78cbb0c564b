"""Objects that are here already, copied into the inbox by S3 itself: no byte passes through us."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from headrace_runtime.aws.job_door import JobDoor
from headrace_runtime.aws.upload import refused_as_second
from headrace_runtime.batch.job_key import job_id
from headrace_runtime.batch.source import Source
from headrace_runtime.batch.submission import StoredObject
from headrace_runtime.errors import InvalidInput, ObjectNotFound, TooLarge

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_COPY_BYTES = 5 << 30  # S3's own limit for one call

# Missing, forbidden, a delete marker, or an id that no version can have.
_GONE = frozenset({"404", "403", "405", "400", "NoSuchKey", "NoSuchVersion"})


class ObjectCopies:
    """Copies objects to keys of the inbox, each once.

    Args:
        inbox: the inbox bucket.
        door: knows the jobs of what lies there.
        s3: reads the originals with the function's own rights: whoever calls has checked whose
            they are.
    """

    def __init__(self, inbox: str, door: JobDoor, *, s3: "S3Client") -> None:
        self._inbox = inbox
        self._door = door
        self._s3 = s3

    def found(self, original: StoredObject) -> StoredObject:
        """Return the object with the version that it has now.

        Raises:
            ObjectNotFound: there is none.
            TooLarge: it cannot be copied in one call.
        """
        try:
            head = self._s3.head_object(**_place(original))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise ObjectNotFound(original.bucket, original.key) from None
            raise
        if head["ContentLength"] > MAX_COPY_BYTES:
            raise TooLarge(
                "an object that is submitted",
                limit_bytes=MAX_COPY_BYTES,
                got_bytes=head["ContentLength"],
                advice="copy it to inbox/<model>/ by other means, aws s3 cp say",
            )
        return replace(original, version_id=head.get("VersionId"))

    def copied(self, original: StoredObject, key: str) -> str:
        """Return the id of the job that the copy at *key* is, or is about to become.

        Where a copy lies already, it stays the only one.

        Raises:
            ObjectNotFound: the original went away meanwhile.
            InvalidInput: it is archived.
            Unavailable: it is being copied by another call.
        """
        try:
            return self._door.job_of(key)
        except ObjectNotFound:
            pass
        try:
            copy = self._s3.copy_object(
                Bucket=self._inbox,
                Key=key,
                CopySource=_place(original),  # type: ignore[arg-type]  # of the same members
                # Neither what an earlier job wanted nor what the bucket's owner noted goes along.
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
                IfNoneMatch="*",
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _GONE:
                raise ObjectNotFound(original.bucket, original.key) from None
            if code == "InvalidObjectState":
                raise InvalidInput(
                    f"object {original.key!r} is archived: restore it and submit it again"
                ) from None
            if refused_as_second(error, key):
                return self._door.job_of(key)
            raise
        etag = copy["CopyObjectResult"]["ETag"].strip('"')
        return job_id(Source(self._inbox, key, copy.get("VersionId"), etag, 0))


def _place(original: StoredObject) -> dict[str, Any]:
    version = {"VersionId": original.version_id} if original.version_id else {}
    return {"Bucket": original.bucket, "Key": original.key, **version}

"""Files of jobs for callers without credentials: signed ways into the inbox and to the results."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from headrace_runtime.aws.registry import Registry
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import job_id, parse_key
from headrace_runtime.batch.job_manifest import ERRORS, MANIFEST, results_name
from headrace_runtime.batch.source import Source
from headrace_runtime.errors import Conflict, NotFound, ObjectNotFound
from headrace_runtime.model.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EXPIRES_S = 900  # of a signature: whoever has it needs no other right, so it is short-lived
MAX_FILE_BYTES = 5 << 30  # S3's own limit for a form

# S3 tells only those who may list that an object is missing; to others it is forbidden.
_GONE = frozenset({"404", "403"})


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """A form with which one file can be sent to one key.

    Attributes:
        fields: of the form, to be sent before the file.
    """

    url: str
    fields: dict[str, str]
    bucket: str
    key: str
    max_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return what callers see of the upload, as plain JSON values."""
        return {
            "upload": {"url": self.url, "fields": self.fields},
            "bucket": self.bucket,
            "key": self.key,
            "expires_in_s": EXPIRES_S,
            "max_bytes": self.max_bytes,
        }


class JobDoor:
    """Signs uploads into the inbox and downloads of results; moves no bytes itself.

    Args:
        inbox: the inbox bucket.
        registry: knows which models there are.
        s3: signs with the function's own rights, so they bound what a signature can do.
    """

    def __init__(self, inbox: str, registry: Registry, *, s3: "S3Client") -> None:
        self._inbox = inbox
        self._registry = registry
        self._s3 = s3

    def manifest(self, target: str) -> Manifest:
        """Return the version that answers for *target*, `<model>[@<alias or version>]`.

        Of an alias it is the version that it names, never its canary: a job has one version.

        Raises:
            InvalidName: it is none.
            NotFound: there is no such model, or no such alias or version of it.
        """
        asked = parse_key(f"{target}/file")
        version = asked.reference
        if isinstance(version, str):
            version = self._registry.alias(asked.model, version).version
        return self._registry.manifest(asked.model, version)

    def upload(self, key: str) -> SignedUpload:
        """Return a form for one file at *key*, which becomes a job once it has arrived."""
        form = self._s3.generate_presigned_post(
            self._inbox,
            key,
            Conditions=[["content-length-range", 0, MAX_FILE_BYTES]],
            ExpiresIn=EXPIRES_S,
        )
        return SignedUpload(form["url"], form["fields"], self._inbox, key, MAX_FILE_BYTES)

    def job_of(self, key: str) -> str:
        """Return the id of the job that the file at *key* is, or is about to become.

        Raises:
            ObjectNotFound: no file has arrived there.
        """
        try:
            found = self._s3.head_object(Bucket=self._inbox, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise ObjectNotFound(self._inbox, key) from None
            raise
        etag = found["ETag"].strip('"')
        return job_id(
            Source(self._inbox, key, found.get("VersionId"), etag, found["ContentLength"])
        )

    def download(self, job: Job, part: str) -> dict[str, Any]:
        """Return `{"url", "file", "expires_in_s"}` for one of a job's files.

        Args:
            job: the job.
            part: `results`, `errors` or `manifest`, there once it has ended; or `input`, the file
                that was dropped.

        Raises:
            Conflict: the job has not ended, so its files are not whole.
            NotFound: the job ended without this file.
        """
        if part == "input":
            return self._input(job)
        if not job.state.final:
            raise Conflict(
                f"job {job.job_id} is {job.state}: its files are there once it has ended"
            )
        file = {"results": results_name(job), "errors": ERRORS, "manifest": MANIFEST}[part]
        if file is None:
            raise NotFound(f"job {job.job_id} has no {part}: {job.error}")
        return self._signed(file, {"Bucket": job.target.bucket, "Key": job.target.prefix + file})

    def _input(self, job: Job) -> dict[str, Any]:
        source = job.source
        version = {"VersionId": source.version_id} if source.version_id else {}
        where = {"Bucket": source.bucket, "Key": source.key, **version}
        return self._signed(source.key.rpartition("/")[2], where)

    def _signed(self, file: str, where: dict[str, str]) -> dict[str, Any]:
        url = self._s3.generate_presigned_url("get_object", Params=where, ExpiresIn=EXPIRES_S)
        return {"url": url, "file": file, "expires_in_s": EXPIRES_S}

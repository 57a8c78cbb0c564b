"""The models bucket: models dropped under `models/`, what is served of them under `artifacts/`."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from headrace_runtime.errors import DigestMismatch, InvalidName, ObjectNotFound
from headrace_runtime.model.manifest import StoredFile
from headrace_runtime.model.names import model_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_EXPIRES_S = 900  # of a presigned upload: it is a key to the bucket, and short-lived

# Else boto3 signs uploads by a method that newer regions refuse, for a host that redirects.
SIGNED_UPLOADS = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})

_DROPPED, _SUFFIX, _ARTIFACTS = "models/", ".onnx", "artifacts/"
_METADATA = "x-amz-meta-"
_CHUNK_BYTES = 1 << 20
_GONE = frozenset(
    {"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"}
)  # last: a delete marker


def model_of(key: str) -> str:
    """Return the model for which an object was dropped at `models/<model>/<anything>.onnx`.

    Raises:
        InvalidName: the key is not of that form, or the name is no model's.
    """
    folder, _, file = key.removeprefix(_DROPPED).partition("/")
    if not key.startswith(_DROPPED) or not key.endswith(_SUFFIX) or not file:
        raise InvalidName("dropped model", key, "models/<model>/<anything>.onnx")
    return model_name(folder)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A dropped object.

    Attributes:
        origin: where it lies, `s3://bucket/key?versionId=id`.
        digest: sha256 of its bytes, hex; of one too large to be read, `etag:` and its ETag.
        metadata: what whoever dropped it said beside it: `x-amz-meta-…`, names in small letters.
    """

    origin: str
    digest: str
    size_bytes: int
    metadata: Mapping[str, str]


class ModelsBucket:
    """Reads what was dropped, writes what is served."""

    def __init__(self, bucket: str, *, s3: "S3Client") -> None:
        self._bucket = bucket
        self._s3 = s3

    def upload(
        self, model: str, name: str, metadata: Mapping[str, str], *, max_bytes: int
    ) -> dict[str, Any]:
        """Return a presigned POST for one model: bucket, key, url and form fields.

        Only a POST can bound the size; the key is exactly `models/<model>/<name>.onnx`, and the
        object's metadata are exactly those given.
        """
        key = f"{_DROPPED}{model_name(model)}/{name}{_SUFFIX}"
        fields = {f"{_METADATA}{name}": value for name, value in metadata.items()}
        upload = self._s3.generate_presigned_post(
            self._bucket,
            key,
            Fields=dict(fields),
            Conditions=[
                ["content-length-range", 1, max_bytes],
                *({name: value} for name, value in fields.items()),
            ],
            ExpiresIn=UPLOAD_EXPIRES_S,
        )
        return {
            "upload": {"url": upload["url"], "fields": upload["fields"]},
            "bucket": self._bucket,
            "key": key,
            "expires_in_s": UPLOAD_EXPIRES_S,
            "max_bytes": max_bytes,
        }

    def fetch(self, key: str, version_id: str | None, into: Path, *, max_bytes: int) -> Dropped:
        """Write the dropped object to a file; one that is too large is left unread.

        Raises:
            ObjectNotFound: it is gone.
        """
        which: Any = {"VersionId": version_id} if version_id else {}
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, **which)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise ObjectNotFound(self._bucket, key) from None
            raise
        origin = f"s3://{self._bucket}/{key}?versionId={answer.get('VersionId', version_id)}"
        size = answer["ContentLength"]
        if size > max_bytes:
            answer["Body"].close()
            etag = answer["ETag"].strip('"')
            return Dropped(origin, f"etag:{etag}", size, answer["Metadata"])
        digest = hashlib.sha256()
        with into.open("wb") as file:
            for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
        return Dropped(origin, digest.hexdigest(), size, answer["Metadata"])

    def store(self, digest: str, files: Sequence[Path]) -> tuple[StoredFile, ...]:
        """Keep *files* as `artifacts/<digest>/<file name>` and return what was stored, in order.

        What is there already stays: the same file twice is stored once.

        Raises:
            DigestMismatch: another file lies at a key; it was left, it may be served already.
        """
        return tuple(self._store(f"{_ARTIFACTS}{digest}/{path.name}", path) for path in files)

    def _store(self, key: str, path: Path) -> StoredFile:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256")
            file.seek(0)
            try:
                self._s3.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=file,
                    # S3 refuses bytes that were changed on the way.
                    ChecksumSHA256=base64.b64encode(sha256.digest()).decode(),
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "PreconditionFailed":
                    raise
                self._check_same(key, sha256.hexdigest())
        return StoredFile(key, sha256.hexdigest(), path.stat().st_size)

    def _check_same(self, key: str, expected: str) -> None:
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        found = hashlib.sha256()
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            found.update(chunk)
        if found.hexdigest() != expected:
            raise DigestMismatch(key, expected=expected, got=found.hexdigest())

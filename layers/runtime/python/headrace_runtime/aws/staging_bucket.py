"""The staging bucket: bodies on their way to SageMaker, outputs on their way back.

in/<job>/<shard>.<attempt>/<body>              a body
out/<job>/<shard>.<attempt>/<body>.out         its output
failed/<job>/<shard>.<attempt>/<body>.<round>  why it failed when it was sent for that time
manifests/<transform job>                      which bodies a transform job takes

Nothing there is anybody's result: all of it is removed after some days.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import HTTPClientError
from urllib3.exceptions import HTTPError

from headrace_runtime.batch.handed import BodyName, body_key, folder, output_name, output_numbers
from headrace_runtime.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ObjectIdentifierTypeDef

PAGE = 1000  # keys that S3 lists, or removes, at a time
_TRIES = 3
_REASON_BYTES = 1024


class StagingBucket:
    """Writes bodies, tells which outputs exist, and reads them."""

    def __init__(self, bucket: str, *, s3: "S3Client") -> None:
        self._bucket = bucket
        self._s3 = s3

    def url(self, key: str) -> str:
        """Return how SageMaker names an object, or all whose keys begin so."""
        return f"s3://{self._bucket}/{key}"

    def put_body(self, place: str, body: int, data: bytes) -> None:
        """Write a body; *place* is the shard's folder."""
        self._s3.put_object(Bucket=self._bucket, Key=body_key(place, body), Body=data)

    def outputs(self, place: str) -> set[int]:
        """Return which bodies of a shard's folder have an output."""
        return output_numbers(self._names(f"out/{place}/"))

    def outputs_among(self, place: str, bodies: range) -> set[int]:
        """Return which of some bodies in a row have an output, and perhaps of those behind them.

        That is one listing.

        Args:
            place: the shard's folder.
            bodies: at most 1,000.
        """
        prefix = f"out/{place}/"
        page = self._s3.list_objects_v2(
            Bucket=self._bucket,
            Prefix=prefix,
            StartAfter=f"{prefix}{bodies.start:05}",  # its output's name goes on with ".out"
            MaxKeys=len(bodies),
        )
        return output_numbers(_names_in(page, prefix))

    def output(self, place: str, body: int) -> tuple[bytes, str]:
        """Return a body's output and its content type.

        Raises:
            Unavailable: S3 broke off again and again.
        """
        for _ in range(_TRIES):
            answer = self._s3.get_object(
                Bucket=self._bucket, Key=f"out/{place}/{output_name(body)}"
            )
            try:
                data = answer["Body"].read()
            except (HTTPClientError, HTTPError, OSError):
                continue
            if len(data) == answer["ContentLength"]:
                return data, answer["ContentType"]
        raise Unavailable(f"S3 broke off in an output of {place} again and again")

    def note_failure(self, name: BodyName, reason: str) -> None:
        """Keep in mind that a body failed when it was sent for this time."""
        place = folder(name.job_id, name.shard, name.attempt)
        self._s3.put_object(
            Bucket=self._bucket,
            Key=f"failed/{place}/{name.body:05}.{name.round}",
            Body=reason.encode()[:_REASON_BYTES],
        )

    def failures(self, place: str, round_: int) -> set[int]:
        """Return which bodies of a shard's folder failed when they were sent for this time."""
        wanted = f".{round_}"
        return {
            int(name.removesuffix(wanted))
            for name in self._names(f"failed/{place}/")
            if name.endswith(wanted) and name.removesuffix(wanted).isdecimal()
        }

    def put_manifest(self, name: str, bodies: Sequence[str]) -> str:
        """Write which bodies a transform job takes, by their keys; return where that stands."""
        relative = [key.removeprefix("in/") for key in bodies]
        manifest = json.dumps([{"prefix": self.url("in/")}, *relative])
        key = f"manifests/{name}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=manifest.encode())
        return self.url(key)

    def remove(self, place: str) -> None:
        """Remove whatever lies in a shard's folders, which nobody needs any more."""
        for half in ("in", "out"):
            self._remove([f"{half}/{place}/{name}" for name in self._names(f"{half}/{place}/")])

    def remove_answered(self, place: str, bodies: int) -> None:
        """Remove the bodies of a shard, so many, and their outputs: all are there."""
        numbers = range(bodies)
        outputs = [f"out/{place}/{output_name(body)}" for body in numbers]
        self._remove([*(body_key(place, body) for body in numbers), *outputs])

    def _remove(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), PAGE):
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": key} for key in keys[start : start + PAGE]
            ]
            self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})

    def _names(self, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            yield from _names_in(page, prefix)


def _names_in(page: "ListObjectsV2OutputTypeDef", prefix: str) -> Iterator[str]:
    for one in page.get("Contents", []):
        yield one["Key"].removeprefix(prefix)

"""The objects of a transform job."""

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.local.sagemaker.s3_location import S3Location
from infra.local.sagemaker.transform_spec import TransformSpec


class NoInputs(Exception):
    """A job without an object to transform; the argument is what its failure reason says."""


@dataclass(frozen=True, slots=True)
class TransformObject:
    """An object, and where its output goes."""

    source: S3Location
    output: S3Location


def transform_objects(spec: TransformSpec, s3: Any) -> list[TransformObject]:
    """Return the objects of a job, each with `.out` behind its path under the output's.

    Raises:
        NoInputs: there are none, or the manifest is no manifest.
    """
    root, paths = _of_manifest(spec, s3) if spec.is_manifest else _of_prefix(spec, s3)
    if not paths:
        raise NoInputs(f"ClientError: No S3 objects found under S3 URL {spec.source}.")
    return [
        TransformObject(S3Location(root.bucket, root.key + path), spec.output.under(f"{path}.out"))
        for path in paths
    ]


def _of_prefix(spec: TransformSpec, s3: Any) -> tuple[S3Location, list[str]]:
    folder = spec.source.key[: spec.source.key.rfind("/") + 1]
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=spec.source.bucket, Prefix=spec.source.key
    )
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    paths = [key.removeprefix(folder) for key in keys if not key.endswith("/")]
    return S3Location(spec.source.bucket, folder), paths


def _of_manifest(spec: TransformSpec, s3: Any) -> tuple[S3Location, list[str]]:
    try:
        found = s3.get_object(Bucket=spec.source.bucket, Key=spec.source.key)
        first, *paths = json.loads(found["Body"].read())
        root = S3Location.parse(first["prefix"])
        "".join(paths)  # a manifest may hold more than paths, which is not for transform jobs
    except (ClientError, ValueError, TypeError, KeyError) as error:
        raise NoInputs(f"ClientError: {spec.source} is no manifest: {error}") from error
    return root, paths

"""What an event says was dropped in a bucket."""

import json
from typing import Any

from headrace_runtime.batch.source import Source


def dropped_file(body: str) -> Source | None:
    """Return the file that an SQS message tells of; None for what tells of no file.

    Messages without `detail` are tests that S3 and others send when a queue is set up; an empty
    object whose key ends in `/` is a folder that a console made.

    Args:
        body: an EventBridge event of S3, `Object Created`, as JSON.
    """
    event: dict[str, Any] = json.loads(body)
    if "detail" not in event:
        return None
    detail = event["detail"]
    file = detail["object"]
    version_id = file.get("version-id")
    source = Source(
        bucket=detail["bucket"]["name"],
        key=file["key"],
        version_id=None if version_id == "null" else version_id,
        etag=file["etag"],
        size_bytes=file["size"],
    )
    return None if source.is_folder else source


def dropped_message(source: Source) -> str:
    """Return a message that tells of a dropped file, as S3's event would."""
    file = {"key": source.key, "size": source.size_bytes, "etag": source.etag}
    if source.version_id is not None:
        file["version-id"] = source.version_id
    return json.dumps({"detail": {"bucket": {"name": source.bucket}, "object": file}})

"""EventBridge's "Object Created" event, as SQS carries it: which object was dropped."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """An object that was dropped into a bucket.

    Attributes:
        key: as it is, never URL-encoded.
        version_id: None where the bucket is not versioned.
        etag: of the object's bytes, None where the event does not say.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str | None


def object_created(body: str) -> ObjectCreated | None:
    """Return the object that a message's body tells of; None where it tells of none.

    S3's test events, sent when notifications are set up, are such bodies.
    """
    try:
        detail = json.loads(body)["detail"]
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(bucket, str) or not isinstance(key, str):
        return None
    return ObjectCreated(
        bucket, key, detail["object"].get("version-id"), detail["object"].get("etag")
    )

"""S3's events as S3 sends them.

What is relied on:
- S3 tells EventBridge by `moto.s3.notifications._send_event_bridge_message`;
- a rule takes an event by `Rule.send_to_targets`, from `events_backends[account][region]`.
"""

import time
import uuid
from typing import Any

from moto.events.models import events_backends
from moto.s3 import notifications

# The names of S3's own API calls, which moto abridges.
_REASONS = {
    "Put": "PutObject",
    "Post": "POST Object",
    "Copy": "CopyObject",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}


def send_object_events_as_s3_does() -> None:
    """Replace moto's EventBridge events of S3 by ones with the members that AWS sends."""
    notifications._send_event_bridge_message = _send_event_bridge_message  # noqa: SLF001 - what this module is for


def _send_event_bridge_message(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    reason = event_name.rsplit(":", maxsplit=1)[-1]
    etag = key.etag.replace('"', "")
    if reason == "Put" and "-" in etag:
        return  # moto's first event of two for one multipart upload
    event: Any = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": notifications._detail_type(event_name),  # noqa: SLF001 - what this module is for
        "source": "aws.s3",
        "account": account_id,
        # moto itself turns this into the ISO text that a queue or a log group gets.
        "time": time.time(),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": _object(bucket, key, etag),
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account_id,
            "source-ip-address": "127.0.0.1",
            "reason": _REASONS.get(reason, reason),
        },
    }
    for bus in events_backends[account_id][bucket.region_name].event_buses.values():
        for rule in bus.rules.values():
            rule.send_to_targets(event, transform_input=False)


def _object(bucket: Any, key: Any, etag: str) -> dict[str, Any]:
    facts = {
        "key": key.name,
        "size": key.size,
        "etag": etag,
        "sequencer": f"{time.time_ns():018X}",
    }
    if bucket.is_versioned:
        facts["version-id"] = key.version_id
    return facts

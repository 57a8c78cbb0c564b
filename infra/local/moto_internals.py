"""Everything of moto that is not its public API, in one place, for one minor version of moto.

What is relied on (`tests/e2e/test_moto_internals.py` names each):
- a direct subclass of `CloudFormationModel` that is defined before the first stack operation is
  a resource type, and takes the place of moto's own for that type;
- `moto.ec2`, which CloudFormation's module imports, reads its tables of instances and regions as
  it is imported, by `load_resource` and `boto3.Session`: a third of moto's start, for nothing;
- S3 tells EventBridge by `moto.s3.notifications._send_event_bridge_message`;
- a rule takes an event by `Rule.send_to_targets`, from `events_backends[account][region]`.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto.core.common_models import CloudFormationModel
from moto.events.models import events_backends
from moto.s3 import notifications
from moto.utilities import utils


@contextmanager
def _without_tables_of_ec2() -> Iterator[None]:
    load_resource, session = utils.load_resource, boto3.Session
    one_session = session()

    def load(resource: str) -> Any:
        return {} if resource.startswith("ec2/") else load_resource(resource)

    utils.load_resource = load
    boto3.Session = lambda: one_session  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        utils.load_resource, boto3.Session = load_resource, session  # type: ignore[misc]


with _without_tables_of_ec2():
    from moto.cloudformation import parsing

# The names of S3's own API calls, which moto abridges.
_REASONS = {
    "Put": "PutObject",
    "Post": "POST Object",
    "Copy": "CopyObject",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}


@dataclass(frozen=True, slots=True)
class Deployed:
    """A resource that a plug-in created.

    Attributes:
        physical_id: what `Ref` gives.
        attributes: what `Fn::GetAtt` gives.
    """

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Creator = Callable[[str, dict[str, Any]], Deployed]


def plug_in(resource_type: str, name_property: str, create: Creator) -> None:
    """Make *create* what CloudFormation calls for a resource type.

    Args:
        resource_type: as in `AWS::S3::Bucket`.
        name_property: the property that names the resource, empty if there is none.
        create: from the resource's name and its resolved properties.
    """

    class PlugIn(CloudFormationModel):
        def __init__(self, deployed: Deployed) -> None:
            self.deployed = deployed
            self.physical_resource_id = deployed.physical_id

        @staticmethod
        def cloudformation_name_type() -> str:
            return name_property

        @staticmethod
        def cloudformation_type() -> str:
            return resource_type

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:  # noqa: ARG003 - moto's contract
            return True

        def get_cfn_attribute(self, name: str) -> str:
            return self.deployed.attributes[name]

        @classmethod
        def create_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,  # noqa: ARG003 - moto's contract
            region_name: str,  # noqa: ARG003 - moto's contract
            **_context: object,
        ) -> "PlugIn":
            return cls(create(resource_name, cloudformation_json["Properties"]))

        def is_created(self) -> bool:
            return True

    # moto keeps every instance of a class in a list on the class, and so the class itself.
    PlugIn.__name__ = PlugIn.__qualname__ = resource_type.replace("::", "")
    _keep.append(PlugIn)


_keep: list[type] = []


def forget_known_types() -> None:
    """Let moto look at its resource types again, as it does once only."""
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


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

"""Resource types of our own in moto's CloudFormation.

What is relied on:
- a direct subclass of `CloudFormationModel` that is defined before the first stack operation is
  a resource type, and takes the place of moto's own for that type;
- an instance's `delete` is called with the account and the region, if it raises neither TypeError
  nor AttributeError;
- `moto.ec2`, which CloudFormation's module imports, reads its tables of instances and regions as
  it is imported, by `load_resource` and `boto3.Session`: a third of moto's start, for nothing.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto.core.common_models import CloudFormationModel
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


@dataclass(frozen=True, slots=True)
class Deployed:
    """A resource that a plug-in created.

    Attributes:
        physical_id: what `Ref` gives.
        attributes: what `Fn::GetAtt` gives.
    """

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Properties = dict[str, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """How one type of CloudFormation's comes, changes and goes.

    Attributes:
        name: as in `AWS::S3::Bucket`.
        create: from the resource's name and its resolved properties.
        named_by: the property that names the resource, empty if there is none.
        update: from what is deployed and its new properties; without, the resource is deleted
            and created anew.
        delete: from what is deployed and the properties that it was deployed with.
    """

    name: str
    create: Callable[[str, Properties], Deployed]
    named_by: str = ""
    update: Callable[[Deployed, Properties], Deployed] | None = None
    delete: Callable[[Deployed, Properties], None] | None = None

    def deploy(self, name: str, properties: Properties) -> Deployed:
        """Create it, or log why it cannot be."""
        try:
            return self.create(name, properties)
        except Exception:  # moto itself tells of it only after it has answered
            _log.exception("%s could not be created", name)
            raise

    def change(self, old: Deployed, was: Properties, name: str, properties: Properties) -> Deployed:
        """Update what is deployed, or replace it under a name; return what is deployed now."""
        if self.update is not None:
            return self.update(old, properties)
        self.remove(old, was)
        return self.create(name, properties)

    def remove(self, old: Deployed, was: Properties) -> None:
        """Delete what is deployed, if it is still there."""
        if self.delete is not None:
            with suppress(ClientError):  # what it was part of may have gone before
                self.delete(old, was)


def plug_in(resource_type: ResourceType) -> None:
    """Make CloudFormation know a resource type, or know it as this one."""

    class PlugIn(CloudFormationModel):
        def __init__(self, deployed: Deployed, properties: Properties) -> None:
            self.deployed = deployed
            self.properties = properties
            self.physical_resource_id = deployed.physical_id

        @staticmethod
        def cloudformation_name_type() -> str:
            return resource_type.named_by

        @staticmethod
        def cloudformation_type() -> str:
            return resource_type.name

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
            properties = cloudformation_json["Properties"]
            return cls(resource_type.deploy(resource_name, properties), properties)

        @classmethod
        def update_from_cloudformation_json(
            cls,
            original_resource: "PlugIn",
            new_resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,  # noqa: ARG003 - moto's contract
            region_name: str,  # noqa: ARG003 - moto's contract
        ) -> "PlugIn":
            properties = cloudformation_json["Properties"]
            old = original_resource
            deployed = resource_type.change(
                old.deployed, old.properties, new_resource_name, properties
            )
            return cls(deployed, properties)

        def delete(self, account_id: str, region_name: str) -> None:  # noqa: ARG002 - moto's contract
            resource_type.remove(self.deployed, self.properties)

        def is_created(self) -> bool:
            return True

    # moto keeps every instance of a class in a list on the class, and so the class itself.
    PlugIn.__name__ = PlugIn.__qualname__ = resource_type.name.replace("::", "")
    _keep.append(PlugIn)


_keep: list[type] = []


def forget_known_types() -> None:
    """Let moto look at its resource types again, as it does once only."""
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()

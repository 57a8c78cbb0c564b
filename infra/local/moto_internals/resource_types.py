"""Resource types of our own in moto's CloudFormation.

What is relied on:
- a direct subclass of `CloudFormationModel` that is defined before the first stack operation is
  a resource type, and takes the place of moto's own for that type;
- `moto.ec2`, which CloudFormation's module imports, reads its tables of instances and regions as
  it is imported, by `load_resource` and `boto3.Session`: a third of moto's start, for nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
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

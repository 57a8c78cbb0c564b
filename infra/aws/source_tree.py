"""Where the sources of what is deployed lie, and how a template says so."""

from aws_cdk import CfnResource
from constructs import IConstruct

from infra.aws.own_code import ROOT, SOURCE

__all__ = ["ROOT", "note_source"]


def note_source(construct: IConstruct, folder: str) -> None:
    """Write into the template that *construct*'s code is *folder*, as `functions/predict`."""
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        message = f"{construct.node.path} has no resource of its own to note {folder} on."
        raise TypeError(message)
    resource.add_metadata(SOURCE, folder)

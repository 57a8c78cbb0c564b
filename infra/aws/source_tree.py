"""Where the sources of what is deployed lie, and how a template says so."""

from pathlib import Path

from aws_cdk import CfnResource
from constructs import IConstruct

ROOT = Path(__file__).resolve().parents[2]

# What lies beside the sources without being one; neither deployed nor part of an asset's hash.
NOT_SOURCES = ["**/__pycache__", "**/*.pyc", "**/.DS_Store"]

# The resource's Metadata entry that names its folder, from the root of the repository.
SOURCE = "headrace:source"


def note_source(construct: IConstruct, folder: str) -> None:
    """Write into the template that *construct*'s code is *folder*, as `functions/predict`."""
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        message = f"{construct.node.path} has no resource of its own to note {folder} on."
        raise TypeError(message)
    resource.add_metadata(SOURCE, folder)

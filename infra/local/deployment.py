"""The synthesised stacks, deployed into moto by CloudFormation's own API."""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress

import boto3
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from infra.local.assembly import Stack

# moto's own, always.
ACCOUNT = "123456789012"


class DeploymentFailed(Exception):
    """CloudFormation refused a stack; the argument says which and why."""


def deploy(stacks: Sequence[Stack], session: boto3.Session) -> Iterator[dict[str, str]]:
    """Create the stacks, in the order given, and yield the outputs of each as it stands.

    Raises:
        DeploymentFailed: a stack was refused.
    """
    region = session.region_name
    formation = session.client("cloudformation")
    for stack in stacks:
        _upload_assets(stack, session)
        try:
            # moto first reads it as YAML, which takes half a second, unless it has a tab in it.
            body = json.dumps(stack.template, indent="\t")
            formation.create_stack(StackName=stack.name, TemplateBody=body)
        except ClientError as error:
            raise DeploymentFailed(f"{stack.name}: {error}") from error
        except ResponseParserError as error:  # moto failed, and answered a page of HTML
            raise DeploymentFailed(f"{stack.name}: moto failed; its log says why.") from error
        described = formation.describe_stacks(StackName=stack.name)["Stacks"][0]
        if described["StackStatus"] != "CREATE_COMPLETE":
            raise DeploymentFailed(f"{stack.name} in {region}: {described['StackStatus']}")
        yield {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}


def _upload_assets(stack: Stack, session: boto3.Session) -> None:
    # Functions run from their sources, so what moto finds where an asset should be is empty.
    s3 = session.client("s3")
    where = {"${AWS::AccountId}": ACCOUNT, "${AWS::Region}": session.region_name}
    for bucket, key in stack.assets:
        for placeholder, value in where.items():
            bucket = bucket.replace(placeholder, value)  # noqa: PLW2901 - one name for one thing
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(
                Bucket=bucket,
                CreateBucketConfiguration={"LocationConstraint": session.region_name},
            )
        s3.put_object(Bucket=bucket, Key=key, Body=_EMPTY_ZIP)


def _empty_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("empty", b"")
    return buffer.getvalue()


_EMPTY_ZIP = _empty_zip()

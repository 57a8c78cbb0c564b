"""The templates as files: valid, complete, and tied to nobody's account or machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infrastructure.cloud import ROOT, Cloud


def test_cfn_lint_finds_no_error(assembly: Path, everything: Path):
    folders = (assembly, everything)
    templates = [str(file) for folder in folders for file in folder.glob("*.template.json")]
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [lint, "--non-zero-exit-code", "error", *templates]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    # W3005: CDK says once more what a reference says already.
    found = [line for line in answer.stdout.splitlines() if line.startswith(("E", "W"))]
    assert [line for line in found if not line.startswith("W3005")] == []


def test_the_templates_name_no_account_no_region_and_no_folder_of_this_machine(assembly: Path):
    for file in assembly.glob("*.template.json"):
        assert str(ROOT) not in file.read_text()
    stacks = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    environments = {a["environment"] for a in stacks.values() if "environment" in a}
    assert environments == {"aws://unknown-account/unknown-region"}


def test_every_function_and_layer_tells_where_its_source_lies(cloud: Cloud):
    for resource in cloud.resources.values():
        if resource["Type"] in ("AWS::Lambda::Function", "AWS::Lambda::LayerVersion"):
            assert (ROOT / resource["Metadata"]["headrace:source"]).is_dir()


def test_everything_that_can_be_tagged_is_tagged(cloud: Cloud):
    for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Lambda::Function"):
        for properties in cloud.of_type(kind).values():
            assert {"Key": "application", "Value": "headrace"} in properties["Tags"]


@pytest.mark.parametrize("kind", ["AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::S3::Bucket"])
def test_nothing_has_a_name_that_a_second_deployment_would_take_too(cloud: Cloud, kind: str):
    for properties in cloud.of_type(kind).values():
        assert not {"FunctionName", "BucketName"} & set(properties)
        assert properties.get("QueueName", "HeadraceDevService-").startswith("HeadraceDevService-")

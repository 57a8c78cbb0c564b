"""The functions that stand in the cloud, read from the APIs that Lambda itself answers."""

import site
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3

from infra.local.assembly import SOURCE, Stack
from infra.local.function_spec import FunctionSpec
from infra.local.synthesis import ROOT


def read_functions(stacks: Sequence[Stack], session: boto3.Session) -> list[FunctionSpec]:
    """Return every deployed function, with the folders that its template names."""
    formation, functions = session.client("cloudformation"), session.client("lambda")
    specs = []
    for stack in stacks:
        resources = stack.template["Resources"]
        listed = formation.describe_stack_resources(StackName=stack.name)["StackResources"]
        for one in listed:
            if one["ResourceType"] != "AWS::Lambda::Function":
                continue
            configuration = functions.get_function_configuration(
                FunctionName=one["PhysicalResourceId"]
            )
            specs.append(_spec(resources, one["LogicalResourceId"], configuration))
    return specs


def _spec(
    resources: Mapping[str, Any], logical_id: str, configuration: Mapping[str, Any]
) -> FunctionSpec:
    resource = resources[logical_id]
    layers = [
        _folder(resources[layer["Ref"]])
        for layer in resource["Properties"].get("Layers", [])
        if isinstance(layer, dict) and "Ref" in layer
    ]
    return FunctionSpec(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"],
        handler=configuration["Handler"],
        runtime=configuration["Runtime"],
        environment=dict(configuration.get("Environment", {}).get("Variables", {})),
        memory_mb=int(configuration["MemorySize"]),
        timeout_s=int(configuration["Timeout"]),
        folder=_folder(resource),
        layers=tuple(layer / "python" for layer in layers if (layer / "python").is_dir()),
        packages=tuple(Path(folder) for folder in site.getsitepackages()),
        log_group=f"/aws/lambda/{configuration['FunctionName']}",
    )


def _folder(resource: Mapping[str, Any]) -> Path:
    return ROOT / str(resource["Metadata"][SOURCE])

"""The functions that stand in the cloud, read from the APIs that Lambda itself answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3

from infra.local.assembly import SOURCE, Stack
from infra.local.function_spec import FunctionSpec
from infra.local.package_folders import link_layer, link_runtime
from infra.local.synthesis import ROOT


def read_functions(
    stacks: Sequence[Stack], session: boto3.Session, *, packages: Path
) -> list[FunctionSpec]:
    """Return every deployed function, with the folders that its template names.

    Args:
        stacks: what was deployed.
        session: reaches the cloud that it was deployed into.
        packages: an empty folder for the third-party packages of layers.
    """
    formation, functions = session.client("cloudformation"), session.client("lambda")
    link_runtime(packages / _RUNTIME)
    specs = []
    for stack in stacks:
        listed = formation.describe_stack_resources(StackName=stack.name)["StackResources"]
        physical = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed}
        for logical_id, resource in stack.template["Resources"].items():
            if resource["Type"] != "AWS::Lambda::Function":
                continue
            configuration = functions.get_function_configuration(FunctionName=physical[logical_id])
            layers = _layers(resource, stack.template["Resources"])
            specs.append(_spec(resource, configuration, physical, layers, packages))
    return specs


# The folder of what Lambda's Python itself brings.
_RUNTIME = "runtime"


def _spec(
    resource: Mapping[str, Any],
    configuration: Mapping[str, Any],
    physical: Mapping[str, str],
    layers: Sequence[Path],
    packages: Path,
) -> FunctionSpec:
    name = configuration["FunctionName"]
    # moto's functions know nothing of their layers and log groups: those are the template's.
    log_group = resource["Properties"].get("LoggingConfig", {}).get("LogGroup", {})
    if isinstance(log_group, dict):
        log_group = physical.get(log_group.get("Ref", ""), f"/aws/lambda/{name}")
    linked = [_linked(layer, packages) for layer in layers if not _is_ours(layer)]
    return FunctionSpec(
        name=name,
        arn=configuration["FunctionArn"],
        handler=configuration["Handler"],
        runtime=configuration["Runtime"],
        environment=dict(configuration.get("Environment", {}).get("Variables", {})),
        memory_mb=int(configuration["MemorySize"]),
        timeout_s=int(configuration["Timeout"]),
        folder=_folder(resource),
        layers=tuple(layer / "python" for layer in layers if _is_ours(layer)),
        packages=(*linked, packages / _RUNTIME),
        log_group=str(log_group),
    )


def _layers(resource: Mapping[str, Any], resources: Mapping[str, Any]) -> list[Path]:
    referred = resource["Properties"].get("Layers", [])
    return [_folder(resources[layer["Ref"]]) for layer in referred]


def _is_ours(layer: Path) -> bool:
    return (layer / "python").is_dir()


def _linked(layer: Path, packages: Path) -> Path:
    folder = packages / f"layer-{layer.name}"
    if not folder.exists():
        link_layer(layer / "requirements.txt", folder)
    return folder


def _folder(resource: Mapping[str, Any]) -> Path:
    return ROOT / str(resource["Metadata"][SOURCE])

"""A CDK cloud assembly, as far as deploying it locally needs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Metadata of a function or a layer: its folder, from the root of the repository.
SOURCE = "headrace:source"


@dataclass(frozen=True, slots=True)
class Stack:
    """A synthesised stack.

    Attributes:
        assets: what its template finds in S3, by (bucket, key), placeholders unresolved.
    """

    name: str
    template: Mapping[str, Any]
    assets: tuple[tuple[str, str], ...]


def read_stacks(folder: Path) -> list[Stack]:
    """Return an assembly's stacks, each after those that it depends on."""
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    return [
        _read_stack(folder, name, artifacts[name]["properties"]) for name in _in_order(artifacts)
    ]


def _in_order(artifacts: Mapping[str, Any]) -> list[str]:
    ordered: list[str] = []

    def visit(name: str) -> None:
        artifact = artifacts.get(name, {})
        if artifact.get("type") != "aws:cloudformation:stack" or name in ordered:
            return
        for dependency in artifact.get("dependencies", []):
            visit(dependency)
        ordered.append(name)

    for name in artifacts:
        visit(name)
    return ordered


def _read_stack(folder: Path, name: str, properties: Mapping[str, Any]) -> Stack:
    return Stack(
        name=properties.get("stackName", name),
        template=json.loads((folder / properties["templateFile"]).read_text()),
        assets=tuple(_assets(folder / f"{name}.assets.json")),
    )


def _assets(manifest: Path) -> Iterator[tuple[str, str]]:
    if not manifest.exists():
        return
    for asset in json.loads(manifest.read_text()).get("files", {}).values():
        # The template itself is an asset too; it is handed over as it is.
        if str(asset["source"].get("path", "")).endswith(".template.json"):
            continue
        for destination in asset["destinations"].values():
            yield destination["bucketName"], destination["objectKey"]

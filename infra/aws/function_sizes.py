"""How large each function is on Lambda, which counts its code and all its layers, unzipped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.aws import build_layers, own_code
from infra.aws.built_folder import size_bytes
from infra.aws.own_code import SOURCE

# Lambda's limit of a function with its layers, unzipped: 250 MB, of 1,048,576 bytes each.
LIMIT_BYTES = 250 << 20


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """What one function takes, in bytes, unzipped.

    Attributes:
        function: the name of its folder.
        layers: the size of each layer that it sees, by the layer's name.
    """

    function: str
    code_bytes: int
    layers: dict[str, int]

    @property
    def total_bytes(self) -> int:
        """Its code and its layers."""
        return self.code_bytes + sum(self.layers.values())


def function_sizes(
    assembly: Path, architecture: str = "x86_64", *, bytecode: bool = True
) -> list[FunctionSize]:
    """Return the size of every function in the templates of *assembly*, largest first.

    The templates say which layers a function sees; what is not built yet is built.
    """
    resources: dict[str, Any] = {}
    for file in assembly.glob("*.template.json"):
        resources |= json.loads(file.read_text())["Resources"]
    sources = {key: r["Metadata"][SOURCE] for key, r in resources.items() if _has_source(r)}
    sizes = {
        source: size_bytes(_built(source, architecture, bytecode=bytecode))
        for source in set(sources.values())
    }
    found = []
    for key, source in sources.items():
        layers = resources[key]["Properties"].get("Layers")
        if layers is not None:
            seen = [sources[layer["Ref"]] for layer in layers]
            held = {layer.removeprefix("layers/"): sizes[layer] for layer in seen}
            found.append(FunctionSize(source.removeprefix("functions/"), sizes[source], held))
    return sorted(found, key=lambda size: (-size.total_bytes, size.function))


def table(sizes: Sequence[FunctionSize]) -> str:
    """Return *sizes* in megabytes (10⁶ bytes) as a Markdown table."""
    layers = sorted({name for size in sizes for name in size.layers})
    heads = ["function", "code", *layers, "together"]
    lines = [heads, ["---"] * len(heads)]
    for size in sizes:
        seen = [f"{size.layers[name] / 1e6:.1f}" if name in size.layers else "" for name in layers]
        total = f"**{size.total_bytes / 1e6:.1f}**"
        lines.append([f"`{size.function}`", f"{size.code_bytes / 1e6:.2f}", *seen, total])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _has_source(resource: Mapping[str, Any]) -> bool:
    return SOURCE in resource.get("Metadata", {})


def _built(source: str, architecture: str, *, bytecode: bool) -> Path:
    name = source.removeprefix("layers/")
    if name in build_layers.NAMES:
        return build_layers.build(name, architecture, bytecode=bytecode)
    return own_code.build(source, bytecode=bytecode)

"""Rules on a model as a whole: its versions, its domains, what must and must not be there."""

import onnx
from onnx import ModelProto

from headrace_runtime.errors import ModelRefused
from headrace_runtime.validation import graph_walk

MIN_IR, MIN_OPSET = 3, 7  # the oldest that ONNX Runtime promises to read
MAX_METADATA_BYTES = 64 * 1024

_DOMAINS = frozenset({"", "ai.onnx.ml", "com.microsoft"})

# Operators of com.microsoft that hold no mathematics but another engine's program or file.
_FOREIGN_ENGINES = frozenset({"EPContext"})


def check(model: ModelProto) -> None:
    """Let a model pass that is whole, of a known version and made of known operators.

    Raises:
        ModelRefused: INCOMPLETE, IR_VERSION, OPSET, TRAINING, SPARSE, METADATA_TOO_LARGE,
            CUSTOM_OPERATOR.
    """
    _check_parts(model)
    _check_versions(model)
    _check_metadata(model)
    _check_operators(model)


def plain_domain(domain: str) -> str:
    """Return the domain with the standard one's two spellings made one."""
    return "" if domain == "ai.onnx" else domain


def _check_parts(model: ModelProto) -> None:
    if not model.graph.node or not model.graph.output:
        part = "nodes" if not model.graph.node else "outputs"
        raise ModelRefused(
            "INCOMPLETE", f"the file holds no graph with {part}: export the whole model again"
        )
    if model.training_info:
        raise ModelRefused("TRAINING", "the model holds a training graph: export it for inference")
    sparse = any(graph.sparse_initializer for graph in graph_walk.graphs(model)) or any(
        attribute.HasField("sparse_tensor") or attribute.sparse_tensors
        for attribute in graph_walk.attributes(model)
    )
    if sparse:
        raise ModelRefused("SPARSE", "the model holds sparse tensors: export dense weights")


def _check_versions(model: ModelProto) -> None:
    if not MIN_IR <= model.ir_version <= onnx.IR_VERSION:
        raise ModelRefused(
            "IR_VERSION",
            f"the model has ONNX IR version {model.ir_version}, served are {MIN_IR} to "
            f"{onnx.IR_VERSION}: export with an ONNX package of this range",
        )
    # The same import twice does no harm: skl2onnx writes that.
    opsets = {(plain_domain(opset.domain), opset.version) for opset in model.opset_import}
    if not opsets or len(opsets) != len({domain for domain, _ in opsets}):
        raise ModelRefused(
            "OPSET", "the model must import one opset for each domain: export it again"
        )
    newest = onnx.defs.onnx_opset_version()
    for domain, version in opsets:
        if domain == "" and not MIN_OPSET <= version <= newest:
            raise ModelRefused(
                "OPSET",
                f"the model uses opset {version}, served are {MIN_OPSET} to {newest}: "
                "export with opset_version=18, or convert with onnx.version_converter",
            )


def _check_metadata(model: ModelProto) -> None:
    size = sum(len(p.key.encode()) + len(p.value.encode()) for p in model.metadata_props)
    if size > MAX_METADATA_BYTES:
        raise ModelRefused(
            "METADATA_TOO_LARGE",
            f"the model's metadata has {size:,} bytes, at most {MAX_METADATA_BYTES:,} are kept: "
            "remove entries from metadata_props",
        )


def _check_operators(model: ModelProto) -> None:
    local = {(plain_domain(f.domain), f.name) for f in model.functions}
    for node in graph_walk.nodes(model):
        domain = plain_domain(node.domain)
        if (domain, node.op_type) in local:
            continue
        if domain not in _DOMAINS or node.op_type in _FOREIGN_ENGINES:
            raise ModelRefused(
                "CUSTOM_OPERATOR",
                f"operator {node.op_type[:80]!r} of domain {domain[:80]!r} is not served: export "
                "with standard ONNX operators only (domains ai.onnx, ai.onnx.ml, com.microsoft)",
            )

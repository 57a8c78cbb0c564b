"""Rules on names: what can stand in a URL, a CSV header, a log line and an error."""

from collections.abc import Iterable

from onnx import ModelProto

from headrace_runtime.errors import ModelRefused
from headrace_runtime.validation import graph_walk

MAX_NAME_CHARACTERS = 512


def check(model: ModelProto) -> None:
    """Let a model pass whose names can be shown, and whose tensors can be told apart.

    Raises:
        ModelRefused: NAME_INVALID, NAME_TWICE.
    """
    _check_text(model)
    graph = model.graph
    for side in (graph.input, graph.output):
        _check_unique([value.name for value in side])
        if any(not value.name for value in side):
            raise ModelRefused("NAME_INVALID", "an input or output has no name: name it")
    for each in graph_walk.graphs(model):
        _check_unique([tensor.name for tensor in each.initializer])
        _check_spelling(tensor.name for tensor in each.initializer)
        _check_spelling(value.name for value in (*each.input, *each.output))
    for node in graph_walk.nodes(model):
        _check_spelling((node.op_type, node.domain, node.overload, *node.input, *node.output))


def _check_text(model: ModelProto) -> None:
    """Protobuf hands text that is no UTF-8 over as bytes; none may reach the other rules."""
    _check_spelling(opset.domain for opset in model.opset_import)
    for function in model.functions:
        _check_spelling((function.domain, function.name, function.overload))
    if any(isinstance(text, bytes) for p in model.metadata_props for text in (p.key, p.value)):
        raise ModelRefused(
            "NAME_INVALID",
            "the model's metadata are no UTF-8 text: remove them from metadata_props",
        )


def _check_unique(names: list[str]) -> None:
    if len(names) != len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise ModelRefused(
            "NAME_TWICE", f"two tensors are called {twice[:80]!r}: give each its own name"
        )


def _check_spelling(names: Iterable[str | bytes]) -> None:
    for name in names:
        # Not printable: control characters, line breaks, and the marks that turn text around.
        if isinstance(name, bytes) or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
            raise ModelRefused(
                "NAME_INVALID",
                f"name {name[:80]!a} is longer than {MAX_NAME_CHARACTERS} characters or holds "
                "ones that cannot be printed: rename it before the export",
            )

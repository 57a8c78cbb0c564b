"""How large a graph becomes once its functions are written out: counted, never built.

A few functions that call each other ten times a level make a billion nodes out of two kilobytes,
and ONNX Runtime writes them all out while it loads.
"""

from collections.abc import Iterable

from onnx import FunctionProto, ModelProto, NodeProto

from headrace_runtime.errors import ModelRefused
from headrace_runtime.validation.graph_rules import plain_domain
from headrace_runtime.validation.graph_walk import subgraphs

MAX_NODES = 100_000  # a chain of 60,000 takes ONNX Runtime 2 s to load
MAX_CALLS = 64  # functions calling functions; exporters stay below ten

_Name = tuple[str, str, str]


def check(model: ModelProto) -> None:
    """Let a model pass that stays small when its functions are written out.

    Raises:
        ModelRefused: TOO_MANY_NODES, FUNCTION_RECURSION, FUNCTION_TWICE.
    """
    size = _Expansion(model.functions).size_of(model.graph.node)
    if size > MAX_NODES:
        raise ModelRefused(
            "TOO_MANY_NODES",
            f"with its functions written out the model has {size:,} nodes, at most {MAX_NODES:,} "
            "are served: simplify the graph, or export without unrolled loops"
            if size < 10**12
            else f"with its functions written out the model has over 10^12 nodes, at most "
            f"{MAX_NODES:,} are served: export without nested functions",
        )


class _Expansion:
    """Counts nodes, each function once."""

    def __init__(self, functions: Iterable[FunctionProto]) -> None:
        self._functions: dict[_Name, FunctionProto] = {}
        for function in functions:
            name = (plain_domain(function.domain), function.name, function.overload)
            if name in self._functions:
                raise ModelRefused(
                    "FUNCTION_TWICE",
                    f"function {function.name[:80]!r} is defined twice: export the model again",
                )
            self._functions[name] = function
        self._sizes: dict[_Name, int] = {}
        self._open: list[_Name] = []

    def size_of(self, nodes: Iterable[NodeProto]) -> int:
        size = 0
        for node in nodes:
            size += 1 + sum(self.size_of(subgraph.node) for subgraph in subgraphs(node))
            name = (plain_domain(node.domain), node.op_type, node.overload)
            if name in self._functions:
                size += self._size_of_function(name)
        return size

    def _size_of_function(self, name: _Name) -> int:
        if name not in self._sizes:
            if name in self._open or len(self._open) >= MAX_CALLS:
                raise ModelRefused(
                    "FUNCTION_RECURSION",
                    f"function {name[1][:80]!r} calls itself, or lies more than {MAX_CALLS} calls "
                    "deep: export without such functions",
                )
            self._open.append(name)
            self._sizes[name] = self.size_of(self._functions[name].node)
            self._open.pop()
        return self._sizes[name]

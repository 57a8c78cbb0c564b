"""Every graph, node and tensor of a model, however deep it hides."""

from collections.abc import Iterator

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

from headrace_runtime.errors import ModelRefused

# Exporters nest If and Loop a few deep; protobuf itself stops at some 30 (3 messages a level).
MAX_DEPTH = 16


def graphs(model: ModelProto) -> Iterator[GraphProto]:
    """Yield the main graph and every subgraph, those inside functions included.

    Raises:
        ModelRefused: GRAPH_TOO_DEEP.
    """
    yield from _graph(model.graph, 1)
    for function in model.functions:
        for node in function.node:
            for subgraph in subgraphs(node):
                yield from _graph(subgraph, 2)


def nodes(model: ModelProto) -> Iterator[NodeProto]:
    """Yield every node of the graphs and functions, each once."""
    for graph in graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def attributes(model: ModelProto) -> Iterator[AttributeProto]:
    """Yield every attribute of every node, and the default ones of functions."""
    for node in nodes(model):
        yield from node.attribute
    for function in model.functions:
        yield from function.attribute_proto


def tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Yield every dense tensor: initializers and attributes."""
    for graph in graphs(model):
        yield from graph.initializer
    for attribute in attributes(model):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """Yield the graphs that the node itself holds, `then_branch` say."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _graph(graph: GraphProto, depth: int) -> Iterator[GraphProto]:
    if depth > MAX_DEPTH:
        raise ModelRefused(
            "GRAPH_TOO_DEEP",
            f"subgraphs lie more than {MAX_DEPTH} deep in each other: export with fewer nested "
            "conditions and loops",
        )
    yield graph
    for node in graph.node:
        for subgraph in subgraphs(node):
            yield from _graph(subgraph, depth + 1)

"""Models that lie, hang, crash or eat memory, as bytes: what registration must refuse.

Each is small; none does harm by being made. The figures are those of ONNX Runtime 1.32.
"""

from collections.abc import Sequence

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from headrace_runtime.tensor import Datatype
from tests.onnx_models import OPSET, value, weight

FP32, INT64 = Datatype.FP32, Datatype.INT64


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[ValueInfoProto] = (),
    outputs: Sequence[ValueInfoProto] = (),
    weights: Sequence[TensorProto] = (),
    opset: int = OPSET,
    **members: object,
) -> ModelProto:
    """A model whose parts may be anything; `x` and `y` of (n, 4) where no inputs are given."""
    graph = helper.make_graph(
        list(nodes),
        "hostile",
        list(inputs) or [value("x", FP32, ["n", 4])],
        list(outputs) or [value("y", FP32, ["n", 4])],
        list(weights),
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, **{"opset_imports": opsets, "ir_version": 9, **members})


def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes) -> NodeProto:
    """A node of the standard domain."""
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def identity() -> ModelProto:
    """`y = x`, to be spoilt."""
    return model([node("Identity", ["x"], ["y"])])


# --- refused by their text alone ---------------------------------------------------------------


def external_data(key: str = "../../../../etc/passwd") -> ModelProto:
    """A weight that is a file of the machine."""
    tensor = TensorProto(name="w", data_type=TensorProto.UINT8, dims=[8])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=key)
    return model([node("Identity", ["x"], ["y"])], weights=[tensor])


def external_data_in_a_constant() -> ModelProto:
    """The same, hidden in an attribute of a node in a branch."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.external_data.add(key="location", value="*/_ORT_MEM_ADDR_/*")
    constant = node("Constant", [], ["t"], value=tensor)
    return model([if_node(branch([constant], "t"), branch([constant], "t"))])


def branch(nodes: Sequence[NodeProto], output: str) -> GraphProto:
    """A subgraph without inputs."""
    return helper.make_graph(list(nodes), "branch", [], [value(output, FP32, None)])


def if_node(then: GraphProto, otherwise: GraphProto, output: str = "y") -> NodeProto:
    """A condition on the input `x`."""
    return node("If", ["x"], [output], then_branch=then, else_branch=otherwise)


def deep(levels: int) -> ModelProto:
    """Conditions in conditions; protobuf itself stops at some 30."""
    inner = branch([node("Relu", ["x"], ["t"])], "t")
    for _ in range(levels - 2):
        leaf = branch([node("Relu", ["x"], ["t"])], "t")
        inner = branch([node("If", ["b"], ["t"], then_branch=inner, else_branch=leaf)], "t")
    top = node("If", ["b"], ["y"], then_branch=inner, else_branch=inner)
    return model([top], [value("x", FP32, ["n", 4]), value("b", Datatype.BOOL, [])])


def function_laughs(levels: int = 10, calls: int = 10) -> ModelProto:
    """Functions that call each other: calls^levels nodes out of two kilobytes. Load never ends."""
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("lol", 1)]
    functions = []
    for level in range(levels):
        kind, domain = ("Relu", "") if level == 0 else (f"F{level - 1}", "lol")
        names = ["a", *(f"t{i}" for i in range(calls - 1)), "b"]
        body = [
            helper.make_node(kind, [names[i]], [names[i + 1]], domain=domain) for i in range(calls)
        ]
        functions.append(helper.make_function("lol", f"F{level}", ["a"], ["b"], body, opsets))
    top = helper.make_node(f"F{levels - 1}", ["x"], ["y"], domain="lol")
    return model([top], functions=functions, opset_imports=opsets)


def function_recursion() -> ModelProto:
    """A function that calls itself."""
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("lol", 1)]
    body = [helper.make_node("F", ["a"], ["b"], domain="lol")]
    function = helper.make_function("lol", "F", ["a"], ["b"], body, opsets)
    top = helper.make_node("F", ["x"], ["y"], domain="lol")
    return model([top], functions=[function], opset_imports=opsets)


def lying_dims(dims: Sequence[int], **data) -> ModelProto:
    """A weight whose dimensions promise other than it holds."""
    tensor = TensorProto(name="w", data_type=data.pop("data_type", TensorProto.FLOAT), dims=dims)
    for field, values in data.items():
        if field == "raw_data":
            tensor.raw_data = values
        else:
            getattr(tensor, field).extend(values)
    return model([node("Identity", ["x"], ["y"])], weights=[tensor])


def sparse() -> ModelProto:
    """A weight of two values that stands for a huge one."""
    values = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("", TensorProto.INT64, [1], [0])
    made = identity()
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [1 << 40]))
    return made


# --- found out on trial only -------------------------------------------------------------------


def layer_normalization_without_bias() -> ModelProto:
    """As the standard allows: the optional bias is given as "". Kills ONNX Runtime's optimiser."""
    names = [value("y", FP32, ["n", 4])]
    scale = weight("scale", np.ones(4, np.float32))
    return model(
        [node("LayerNormalization", ["x", "scale", ""], ["y"])], outputs=names, weights=[scale]
    )


def matmul_fold_at_load() -> ModelProto:
    """Three nodes that make the optimiser multiply huge matrices of constants while it loads."""
    size = weight("size", np.array([7000, 7000], np.int64))
    fill = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    nodes = [
        node("ConstantOfShape", ["size"], ["c0"], value=fill),
        *(node("MatMul", [f"c{i}", "c0"], [f"c{i + 1}"]) for i in range(3)),
        node("ReduceMax", ["c3"], ["top"], keepdims=0),
        node("Add", ["x", "top"], ["y"]),
    ]
    return model(nodes, weights=[size])


def loop_forever() -> ModelProto:
    """A loop of 10^12 rounds; loads at once, and its run never ends."""
    rounds = helper.make_tensor("rounds", TensorProto.INT64, [], [10**12])
    go_on = helper.make_tensor("go_on", TensorProto.BOOL, [], [True])
    body = helper.make_graph(
        [
            node("Identity", ["go"], ["still"]),
            node("Relu", ["state"], ["next"]),
        ],
        "body",
        [value("i", INT64, []), value("go", Datatype.BOOL, []), value("state", FP32, None)],
        [value("still", Datatype.BOOL, None), value("next", FP32, None)],
    )
    return model(
        [node("Loop", ["rounds", "go_on", "x"], ["y"], body=body)], weights=[rounds, go_on]
    )


def huge_constant() -> ModelProto:
    """Four terabytes, asked for in one node."""
    size = weight("size", np.array([1 << 20, 1 << 20], np.int64))
    nodes = [
        node("ConstantOfShape", ["size"], ["c"]),
        node("ReduceMax", ["c"], ["top"], keepdims=0),
        node("Add", ["x", "top"], ["y"]),
    ]
    return model(nodes, weights=[size])


def division_that_traps() -> ModelProto:
    """The least integer divided by -1: the processor itself objects."""
    least = weight("least", np.array([-(2**63)], np.int64))
    minus_one = weight("minus_one", np.array([-1], np.int64))
    nodes = [
        node("Mul", ["least", "x"], ["a"]),
        node("Div", ["a", "minus_one"], ["y"]),
    ]
    names = [value(name, INT64, ["n"]) for name in ("x", "y")]
    return model(nodes, names[:1], names[1:], [least, minus_one])


def bad_utf8() -> bytes:
    """An operator whose name is no text."""
    return identity().SerializeToString().replace(b"Identity", b"Ident\xff\xfey")

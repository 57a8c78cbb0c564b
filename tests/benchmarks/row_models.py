"""The models that large files are run through: a small network, and 200 trees."""

from collections.abc import Callable

import numpy as np
from onnx import helper
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingRegressor

from headrace_runtime.tensor import Datatype
from tests import onnx_models
from tests.benchmarks.row_files import COLUMNS
from tests.onnx_models import value, weight


def network() -> bytes:
    """Return a model of three dense layers, 20-64-64-1."""
    draw = np.random.default_rng(7)
    shapes = {"w1": (COLUMNS, 64), "w2": (64, 64), "w3": (64, 1)}
    weights = [weight(n, draw.normal(0, 0.2, s).astype(np.float32)) for n, s in shapes.items()]
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h1"]),
        helper.make_node("Relu", ["h1"], ["r1"]),
        helper.make_node("MatMul", ["r1", "w2"], ["h2"]),
        helper.make_node("Relu", ["h2"], ["r2"]),
        helper.make_node("MatMul", ["r2", "w3"], ["y"]),
    ]
    return onnx_models.model(
        nodes,
        [value("x", Datatype.FP32, ["n", COLUMNS])],
        [value("y", Datatype.FP32, ["n", 1])],
        weights,
    )


def trees() -> bytes:
    """Return a model of 200 boosted trees of depth 6 over 20 columns."""
    draw = np.random.default_rng(7)
    x = draw.standard_normal((4000, COLUMNS))
    trained = GradientBoostingRegressor(n_estimators=200, max_depth=6, random_state=7)
    trained.fit(x, x[:, 0] * x[:, 1] + np.sin(x[:, 2]))
    graph = to_onnx(trained, x[:1].astype(np.float32), target_opset=18)
    ours = {"X": "x", "variable": "y"}
    for named in (*graph.graph.input, *graph.graph.output):
        named.name = ours[named.name]
    for node in graph.graph.node:
        node.input[:] = [ours.get(name, name) for name in node.input]
        node.output[:] = [ours.get(name, name) for name in node.output]
    return graph.SerializeToString()


ROW_MODELS: dict[str, Callable[[], bytes]] = {"network": network, "trees": trees}

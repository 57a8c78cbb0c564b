"""What is handed off: the rows of `row_files`, and images with a small convolutional network."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from onnx import NodeProto, helper

from headrace_runtime.tensor import Datatype
from tests import onnx_models
from tests.benchmarks import row_files
from tests.benchmarks.row_models import network, trees
from tests.onnx_models import value, weight

ROWS = 200_000
# As many as two shards hold, and moto twice. Larger ones cost what their bytes cost.
IMAGES, SHAPE = 2_000, (3, 64, 64)
_CHANNELS = (3, 16, 32)


def convolutions() -> bytes:
    """Return a model of two convolutions and a dense layer, some 7 million products an image."""
    draw = np.random.default_rng(7)
    nodes: list[NodeProto] = []
    weights, given = [], "x"
    for layer, (read, made) in enumerate(pairwise(_CHANNELS)):
        kernel = draw.normal(0, 0.2, (made, read, 3, 3)).astype(np.float32)
        weights.append(weight(f"w{layer}", kernel))
        conv, relu, pooled = (f"{name}{layer}" for name in ("conv", "relu", "pooled"))
        nodes += [
            helper.make_node("Conv", [given, f"w{layer}"], [conv], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [conv], [relu]),
            helper.make_node("MaxPool", [relu], [pooled], kernel_shape=[2, 2], strides=[2, 2]),
        ]
        given = pooled
    weights.append(weight("dense", draw.normal(0, 0.2, (_CHANNELS[-1], 10)).astype(np.float32)))
    nodes += [
        helper.make_node("GlobalAveragePool", [given], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "dense"], ["y"]),
    ]
    inputs = [value("x", Datatype.FP32, ["n", *SHAPE])]
    return onnx_models.model(nodes, inputs, [value("y", Datatype.FP32, ["n", 10])], weights)


MODELS: dict[str, Callable[[], bytes]] = {
    "trees": trees,
    "network": network,
    "convolutions": convolutions,
}


def write(path: Path, records: int) -> None:
    """Write a file of that many records, by its name: `images.npy`, or rows by their suffix."""
    if path.name == "images.npy":
        draw = np.random.default_rng(7)
        np.save(path, draw.random((records, *SHAPE), np.float32))
    else:
        row_files.write(path, records)

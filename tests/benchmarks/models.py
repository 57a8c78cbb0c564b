"""The models that are measured: a linear one, the digit reader of the ONNX zoo, an image's head."""

import numpy as np
from onnx import helper

from headrace_runtime.tensor import Datatype
from tests import onnx_models
from tests.onnx_models import value, weight


def _digits() -> bytes:
    """Two convolutions over 28x28 and a dense layer, as `mnist-8` of the ONNX zoo: 24 kB."""
    draw = np.random.default_rng(7)
    shapes = {"w1": (8, 1, 5, 5), "w2": (16, 8, 5, 5), "w3": (256, 10)}
    weights = [weight(n, draw.normal(0, 0.1, s).astype(np.float32)) for n, s in shapes.items()]
    weights += [weight("image", np.array([-1, 1, 28, 28])), weight("flat", np.array([-1, 256]))]
    nodes = [
        helper.make_node("Reshape", ["x", "image"], ["i"]),
        helper.make_node("Conv", ["i", "w1"], ["c1"], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "w2"], ["c2"], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p2"], kernel_shape=[3, 3], strides=[3, 3]),
        helper.make_node("Reshape", ["p2", "flat"], ["f"]),
        helper.make_node("MatMul", ["f", "w3"], ["y"]),
    ]
    return onnx_models.model(
        nodes,
        [value("x", Datatype.FP32, ["n", 784])],
        [value("y", Datatype.FP32, ["n", 10])],
        weights,
    )


def _image() -> bytes:
    """One strided convolution over 3x224x224, pooled, and a dense layer of ten classes."""
    draw = np.random.default_rng(7)
    weights = [
        weight("w1", draw.normal(0, 0.1, (16, 3, 7, 7)).astype(np.float32)),
        weight("w2", draw.normal(0, 0.1, (16, 10)).astype(np.float32)),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c"], strides=[4, 4]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "w2"], ["y"]),
    ]
    return onnx_models.model(
        nodes,
        [value("x", Datatype.FP32, ["n", 3, 224, 224])],
        [value("y", Datatype.FP32, ["n", 10])],
        weights,
    )


MODELS = {"linear": onnx_models.linear(), "digits": _digits(), "image": _image()}

"""Every static rule, each with a model that breaks it; none of these is ever loaded."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, TypeProto, helper

from headrace_runtime.errors import ModelRefused
from headrace_runtime.tensor import Datatype
from headrace_runtime.validation import inspection, weights_file
from tests import hostile_models as hostile
from tests import onnx_models


def _spoilt(**changed) -> bytes:
    model = hostile.identity()
    for name, value in changed.items():
        setattr(model, name, value)
    return model.SerializeToString()


def _named(old: str, new: str) -> bytes:
    model = hostile.identity()
    model.graph.node[0].input[0] = model.graph.input[0].name = new if old == "x" else "x"
    if old == "op":
        model.graph.node[0].op_type = new
    return model.SerializeToString()


def _graph(change) -> bytes:
    model = hostile.identity()
    change(model)
    return model.SerializeToString()


def _output_type(kind: TypeProto) -> bytes:
    return _graph(lambda m: m.graph.output[0].type.CopyFrom(kind))


def _input_type(kind: TypeProto) -> bytes:
    return _graph(lambda m: m.graph.input[0].type.CopyFrom(kind))


def _tensor_type(element: int) -> TypeProto:
    return helper.make_tensor_type_proto(element, ["n", 4])


def _shaped(shape: list[int]) -> bytes:
    return _input_type(helper.make_tensor_type_proto(TensorProto.FLOAT, shape))


SEQUENCE = helper.make_sequence_type_proto(_tensor_type(TensorProto.FLOAT))
OPTIONAL = helper.make_optional_type_proto(_tensor_type(TensorProto.FLOAT))
TWICE = onnx_models.weight("w", np.ones(2, np.float32))

BROKEN = {
    "empty": ("NOT_ONNX", b""),
    "cut": ("NOT_ONNX", onnx_models.linear()[:-7]),
    "garbage at its end": ("NOT_ONNX", onnx_models.linear() + b"\xff" * 9),
    "random": ("NOT_ONNX", np.random.default_rng(1).bytes(4096)),
    "unknown fields": (
        "UNKNOWN_FIELDS",
        onnx_models.linear() + b"\xca\x3e\x80\x80\x08" + b"\x00" * (128 * 1024),
    ),
    "no graph": ("INCOMPLETE", _graph(lambda m: m.ClearField("graph"))),
    "no nodes": ("INCOMPLETE", _graph(lambda m: m.graph.ClearField("node"))),
    "no outputs": ("INCOMPLETE", _graph(lambda m: m.graph.ClearField("output"))),
    "training": ("TRAINING", _graph(lambda m: m.training_info.add())),
    "IR 2": ("IR_VERSION", _spoilt(ir_version=2)),
    "IR of the future": ("IR_VERSION", _spoilt(ir_version=onnx.IR_VERSION + 1)),
    "opset 6": ("OPSET", hostile.model([hostile.node("Relu", "x", "y")], opset=6)),
    "opset 999": ("OPSET", hostile.model([hostile.node("Relu", "x", "y")], opset=999)),
    "no opset": ("OPSET", _graph(lambda m: m.ClearField("opset_import"))),
    "two opsets": (
        "OPSET",
        _graph(lambda m: m.opset_import.append(helper.make_opsetid("ai.onnx", 17))),
    ),
    "much metadata": (
        "METADATA_TOO_LARGE",
        _graph(lambda m: m.metadata_props.add(key="k", value="v" * 70_000)),
    ),
    "custom domain": (
        "CUSTOM_OPERATOR",
        hostile.model([helper.make_node("Evil", ["x"], ["y"], domain="my.ops")]),
    ),
    "another engine": (
        "CUSTOM_OPERATOR",
        hostile.model([helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft")]),
    ),
    "sparse": ("SPARSE", hostile.sparse()),
    "too deep": ("GRAPH_TOO_DEEP", hostile.deep(20)),
    "10^10 nodes": ("TOO_MANY_NODES", hostile.function_laughs()),
    "10^40 nodes": ("TOO_MANY_NODES", hostile.function_laughs(levels=40)),
    "a function that calls itself": ("FUNCTION_RECURSION", hostile.function_recursion()),
    "a function twice": (
        "FUNCTION_TWICE",
        _graph(lambda m: m.functions.extend(2 * list(hostile.function_recursion().functions))),
    ),
    "external data": ("EXTERNAL_DATA", hostile.external_data()),
    "external data in a branch": ("EXTERNAL_DATA", hostile.external_data_in_a_constant()),
    "too few bytes": ("TENSOR_SIZE", hostile.lying_dims([3], raw_data=b"1234")),
    "too many bytes": ("TENSOR_SIZE", hostile.lying_dims([], raw_data=b"12345678")),
    "dims that overflow": ("TENSOR_SIZE", hostile.lying_dims([1 << 62, 4], float_data=[])),
    "negative dims": ("TENSOR_SIZE", hostile.lying_dims([-1, -1], float_data=[1.0])),
    "2^80 strings": (
        "TENSOR_SIZE",
        hostile.lying_dims([1 << 40, 1 << 40], data_type=TensorProto.STRING),
    ),
    "unknown element": ("TENSOR_TYPE", hostile.lying_dims([1], data_type=99, raw_data=b"1")),
    "a name with a NUL": ("NAME_INVALID", _named("x", "a\0b")),
    "a name with a line break": ("NAME_INVALID", _named("x", "a\nb")),
    "a name that turns text around": ("NAME_INVALID", _named("x", "a\u202eb")),
    "a long name": ("NAME_INVALID", _named("x", "x" * 513)),
    "no name": ("NAME_INVALID", _named("x", "")),
    "an operator that is no text": ("NAME_INVALID", hostile.bad_utf8()),
    "a weight twice": ("NAME_TWICE", _graph(lambda m: m.graph.initializer.extend([TWICE, TWICE]))),
    "an input twice": ("NAME_TWICE", _graph(lambda m: m.graph.input.append(m.graph.input[0]))),
    "bfloat16 output": ("OUTPUT_TYPE", _output_type(_tensor_type(TensorProto.BFLOAT16))),
    "float8 output": ("OUTPUT_TYPE", _output_type(_tensor_type(TensorProto.FLOAT8E5M2))),
    "int4 output": ("OUTPUT_TYPE", _output_type(_tensor_type(TensorProto.INT4))),
    "sequence output": ("OUTPUT_TYPE", _output_type(SEQUENCE)),
    "optional output": ("OUTPUT_TYPE", _output_type(OPTIONAL)),
    "complex input": ("INPUT_TYPE", _input_type(_tensor_type(TensorProto.COMPLEX64))),
    "sequence input": ("INPUT_TYPE", _input_type(SEQUENCE)),
    "input without a type": ("INPUT_TYPE", _input_type(TypeProto())),
    "a record of 40 GB": ("RECORD_TOO_LARGE", _shaped([100_000, 100_000])),
    "dangling": ("STRUCTURE", hostile.model([hostile.node("Relu", ["nowhere"], ["y"])])),
    "a cycle": (
        "STRUCTURE",
        hostile.model([hostile.node("Add", "xz", "y"), hostile.node("Relu", "y", "z")]),
    ),
    "unknown operator": ("STRUCTURE", hostile.model([hostile.node("Frobnicate", "x", "y")])),
}


@pytest.mark.parametrize(("rule", "model"), BROKEN.values(), ids=BROKEN)
def test_a_rule_that_is_broken_is_named_with_advice(rule, model):
    data = model if isinstance(model, bytes) else model.SerializeToString()
    with pytest.raises(ModelRefused) as refused:
        _inspect(data)
    assert refused.value.rule == rule
    wrong, _, advice = refused.value.sentence.partition(": ")
    assert wrong
    assert advice
    assert refused.value.sentence.isprintable()
    assert "\n" not in refused.value.sentence


def _inspect(data: bytes) -> None:
    model = inspection.parse(data)
    inspection.check(model)
    inspection.check_known(model, file_bytes=len(data), moved_bytes=0)
    inspection.check_structure(model)


HEALTHY = {
    "linear": onnx_models.linear(),
    "classifier": onnx_models.classifier(),
    "strings": onnx_models.identity(Datatype.BYTES, ["n", 1]),
    "scalar": onnx_models.identity(Datatype.INT64, []),
    "without a shape on its output": onnx_models.model(
        [hostile.node("Relu", "x", "y")],
        [onnx_models.value("x", Datatype.FP32, ["n", 4])],
        [onnx_models.value("y", Datatype.FP32, None)],
    ),
    "conditions ten deep": hostile.deep(10).SerializeToString(),
    "functions that stay small": hostile.function_laughs(levels=3).SerializeToString(),
    "weights that are no inputs, in IR 3": _graph(
        lambda m: (m.graph.initializer.append(TWICE), setattr(m, "ir_version", 3))
    ),
}


@pytest.mark.parametrize("data", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_model_passes(data):
    _inspect(data)


def test_messages_of_libraries_lose_paths_and_line_breaks():
    message = "[ONNXRuntimeError] : 1 : FAIL : /onnxruntime_src/a/b.cc:12 Load\nfailed.\0"
    assert inspection.plain(message) == "Load failed"


def test_a_model_taken_apart_runs_as_before(tmp_path):
    data = onnx_models.linear(features=64, outputs=100)
    weights_file.split(inspection.parse(data), tmp_path)
    x = np.arange(128, dtype=np.float32).reshape(2, 64)
    whole, apart = (
        ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
        for model in (data, str(tmp_path / "graph.onnx"))
    )
    assert (tmp_path / "weights.bin").stat().st_size == 64 * 100 * 4
    assert (tmp_path / "graph.onnx").stat().st_size < 1024
    assert np.array_equal(whole, apart)


def test_a_model_is_always_taken_apart_into_the_same_bytes(tmp_path):
    written = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        weights_file.split(inspection.parse(onnx_models.linear(64, 100)), tmp_path / name)
        written.append([file.read_bytes() for file in sorted((tmp_path / name).iterdir())])
    assert written[0] == written[1]

import pytest

from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.model.triton_config import config_pbtxt, unfit_for_triton
from headrace_runtime.tensor import Datatype
from tests import onnx_models

CUDA_ALONE = (
    'optimization { execution_accelerators { gpu_execution_accelerator { name: "cuda" '
    'parameters { key: "use_tf32" value: "0" } } } }'
)
ZEROS = (
    'model_warmup { name: "zeros-1" batch_size: 1 inputs { key: "x" value '
    "{ data_type: TYPE_FP32 dims: [ 4 ] zero_data: true } } }"
)


def spec(name: str, *shape: int, datatype: Datatype = Datatype.FP32, **more: tuple[str, ...]):
    return TensorSpec(name, datatype, shape, **more)


def one(given: TensorSpec, answered: TensorSpec | None = None) -> Signature:
    return Signature((given,), (answered or spec("y", -1, 1),))


def config(signature: Signature, rows_at_once: int = 64, **how) -> list[str]:
    how = {"tensorrt": False} | how
    return config_pbtxt("model", signature, rows_at_once=rows_at_once, **how).splitlines()


def test_a_configuration_says_it_all():
    assert config(onnx_models.linear_signature(), warm_length=8) == [
        'name: "model"',
        'backend: "onnxruntime"',
        'default_model_filename: "model.onnx"',
        "max_batch_size: 64",
        'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }',
        'output { name: "y" data_type: TYPE_FP32 dims: [ 3 ] }',
        "instance_group { kind: KIND_AUTO count: 1 }",
        "version_policy { latest { num_versions: 1 } }",
        CUDA_ALONE,
        "dynamic_batching { preferred_batch_size: [ 64 ] max_queue_delay_microseconds: 500 }",
        ZEROS,
    ]


@pytest.mark.parametrize(
    "signature",
    [
        onnx_models.TWO_INPUTS,  # of bare numbers: Triton would want them as (n, 1)
        one(spec("x", 1, 4)),
        one(spec("x", -1, 4), spec("y", 1)),
        one(spec("x", -1, 4), spec("y", 5, 5)),
    ],
)
def test_what_is_no_batch_for_triton_has_all_its_dimensions(signature):
    lines = config(signature)
    assert lines[3] == "max_batch_size: 0"
    assert not any(line.startswith("dynamic_batching") for line in lines)
    dims = ", ".join(map(str, signature.outputs[0].shape))
    assert any(line.startswith("output") and f"dims: [ {dims} ]" in line for line in lines)


def test_one_record_a_run_is_no_batch_for_triton():
    assert "max_batch_size: 0" in config(onnx_models.linear_signature(), rows_at_once=1)


def test_a_run_on_zeros_has_the_length_that_was_tried():
    lines = config(one(spec("x", -1, 3, -1)), warm_length=32)
    assert "dims: [ 3, 32 ] zero_data: true" in lines[-1]
    lines = config(one(spec("x", -1, 3, -1)), rows_at_once=1, warm_length=32)
    assert "dims: [ 1, 3, 32 ] zero_data: true" in lines[-1]


def test_a_model_that_fails_on_zeros_is_not_run_on_them():
    assert "model_warmup" not in "".join(config(onnx_models.linear_signature(), warm_length=None))


def test_tensorrt_comes_first_in_full_precision_and_sees_the_most_records():
    lines = config(onnx_models.linear_signature(), tensorrt=True, warm_length=8)
    assert lines[8].startswith(
        'optimization { execution_accelerators { gpu_execution_accelerator { name: "tensorrt" '
        'parameters { key: "precision_mode" value: "FP32" } '
    )
    assert 'gpu_execution_accelerator { name: "cuda"' in lines[8]
    assert [line.split(" inputs")[0] for line in lines[-2:]] == [
        'model_warmup { name: "zeros-1" batch_size: 1',
        'model_warmup { name: "zeros-64" batch_size: 64',
    ]


def test_the_most_records_of_bare_numbers_are_one_request():
    lines = config(onnx_models.TWO_INPUTS, tensorrt=True, warm_length=8)
    assert 'name: "zeros-64" batch_size: 1 inputs { key: "left"' in lines[-1]
    assert "dims: [ 64 ]" in lines[-1]


def test_a_graph_that_loads_only_as_it_is_is_left_as_it_is():
    lines = config(onnx_models.linear_signature(), optimise=False)
    assert lines[8].startswith("optimization { graph { level: 2 } execution_accelerators")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("x", '"x"'),
        ('a"b', '"a\\042b"'),
        ("a\\n", '"a\\134n"'),
        ("a\n7", '"a\\0127"'),
        ("é7", '"\\303\\2517"'),
        ("名", '"\\345\\220\\215"'),
        ("\x00", '"\\000"'),
        ("{}[]#:", '"{}[]#:"'),
    ],
)
def test_a_name_cannot_end_its_own_quotes(name, written):
    line = config(one(spec(name, -1, 4)))[4]
    assert line == f"input {{ name: {written} data_type: TYPE_FP32 dims: [ 4 ] }}"


@pytest.mark.parametrize(
    ("signature", "why"),
    [
        (onnx_models.linear_signature(), ""),
        (onnx_models.GATHER, ""),
        (Signature((), (spec("y", -1),)), "the model has no input"),
        (one(spec("x")), "input 'x' has no dimension, or an unknown number of them"),
        (one(spec("x", -1), spec("y")), "output 'y' has no dimension, or an unknown number"),
        (one(spec("x", 3, 2)), "input 'x' takes exactly 3 records a run"),
        (one(spec("x", 0, 2)), "input 'x' takes exactly 0 records a run"),
        (one(spec("x", -1, 0)), "input 'x' has a dimension of length 0"),
        (one(spec("x", -1, 1, datatype=Datatype.BYTES)), "input 'x' is text, which no GPU works"),
        (one(spec("x", -1), spec("y", -1, datatype=Datatype.BYTES)), "output 'y' is text, which"),
        (
            one(spec("x", -1, 2), spec("y", -1, 2, labels=("no", "yes"))),
            "output 'y' is a map of classes, which Triton does not serve: export with",
        ),
    ],
)
def test_a_model_that_triton_cannot_serve_says_why(signature, why):
    assert unfit_for_triton(signature).startswith(why)
    assert bool(unfit_for_triton(signature)) is bool(why)


def test_a_long_name_is_cut_in_the_reason():
    assert len(unfit_for_triton(one(spec("x" * 500, -1, 0)))) < 200

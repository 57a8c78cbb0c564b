"""Models that crash, hang and eat memory, tried for real in limited children."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import helper
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from headrace_runtime.errors import ModelRefused
from headrace_runtime.tensor import Datatype
from headrace_runtime.validation.limited_process import Limits
from headrace_runtime.validation.verdict import Verdict, examine
from tests import hostile_models as hostile
from tests import onnx_models

LIMITS = Limits(timeout_s=20, memory_bytes=2 << 30)
IMPATIENT = Limits(timeout_s=60, cpu_s=2, memory_bytes=2 << 30)


@pytest.fixture
def judge(tmp_path):
    """Examine a model's bytes as `register` does."""

    def examined(model, limits: Limits = LIMITS, **how) -> Verdict:
        file, apart = tmp_path / "model.onnx", tmp_path / "apart"
        file.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        apart.mkdir()
        return examine(file, apart, limits, **how)

    return examined


def test_a_healthy_model_is_measured(judge):
    verdict = judge(onnx_models.linear())
    assert verdict.signature == onnx_models.linear_signature()
    assert [file.name for file in verdict.files] == ["model.onnx"]
    profile = verdict.profile
    assert profile.load_ms > 0
    assert profile.run_ms > 0
    assert profile.onnxruntime == onnxruntime.__version__
    assert (profile.optimise, profile.deterministic) == (True, True)


def test_a_record_costs_far_less_among_many_than_alone(judge):
    # A power of a matrix of its own, whatever is asked; of a record, an addition alone.
    squares = [helper.make_node("MatMul", [f"m{n}", f"m{n}"], [f"m{n + 1}"]) for n in range(9)]
    scaled = helper.make_node("Mul", ["seed", "m"], ["m0"])
    total = helper.make_node("ReduceSum", ["m9"], ["sum"], keepdims=0)
    first = helper.make_node("ReduceMax", ["x"], ["seed"], keepdims=0)
    added = helper.make_node("Add", ["x", "sum"], ["y"])
    shapes = [onnx_models.value(name, Datatype.FP32, ["n", 4]) for name in ("x", "y")]
    m = onnx_models.weight("m", np.eye(256, dtype=np.float32))
    graph = onnx_models.model([first, scaled, *squares, total, added], shapes[:1], shapes[1:], [m])

    verdict = judge(graph)

    assert verdict.together
    assert 0 < verdict.profile.row_ms < verdict.profile.run_ms / 20


def test_a_record_that_costs_as_much_among_many_says_so(judge):
    size = 300
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h0"])]
    nodes += [helper.make_node("MatMul", [f"h{n}", "w"], [f"h{n + 1}"]) for n in range(20)]
    shapes = [onnx_models.value(name, Datatype.FP32, ["n", size, size]) for name in ("x", "h20")]
    w = onnx_models.weight("w", np.eye(size, dtype=np.float32))
    graph = onnx_models.model(nodes, shapes[:1], shapes[1:], [w])

    verdict = judge(graph)

    assert verdict.together
    assert verdict.profile.run_ms / 2 < verdict.profile.row_ms < verdict.profile.run_ms * 2


@pytest.mark.parametrize(
    ("shape", "node"),
    [
        (["n", 4], helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)),  # one for all
        (["n", 4], helper.make_node("Concat", ["x", "x"], ["y"], axis=0)),  # two for each
        ([1, 4], helper.make_node("Identity", ["x"], ["y"])),  # one a run
        (["n", 4], helper.make_node("Reshape", ["x", "one"], ["y"])),  # fails on two
    ],
)
def test_records_that_are_not_answered_each_cost_a_run_each(judge, shape, node):
    inputs = [onnx_models.value("x", Datatype.FP32, shape)]
    outputs = [onnx_models.value("y", Datatype.FP32, None)]
    one = onnx_models.weight("one", np.array([1, 4], np.int64))
    verdict = judge(onnx_models.model([node], inputs, outputs, [one]))
    assert not verdict.together
    assert verdict.profile.row_ms == pytest.approx(verdict.profile.run_ms, abs=0.001)


def test_a_classifiers_maps_are_answers_to_each(judge):
    assert judge(onnx_models.classifier()).together


@pytest.mark.parametrize(
    ("graph", "length"),
    [
        (onnx_models.linear(), 8),
        (onnx_models.identity(Datatype.INT64, ["n", "words"]), 8),
        # The tenth from the end of nine: one less than there are.
        (
            onnx_models.model(
                [
                    helper.make_node("Sub", ["i", "ten"], ["at"]),
                    helper.make_node("Gather", ["table", "at"], ["y"]),
                ],
                [onnx_models.value("i", Datatype.INT64, ["n"])],
                [onnx_models.value("y", Datatype.FP32, ["n"])],
                [
                    onnx_models.weight("ten", np.array([10], np.int64)),
                    onnx_models.weight("table", np.arange(9, dtype=np.float32)),
                ],
            ),
            None,
        ),
    ],
)
def test_it_is_known_whether_zeros_run(judge, graph, length):
    assert judge(graph).zeros_length == length


@pytest.mark.parametrize("classes", [(7, 3, 5), ("no", "yes")])
def test_a_classifiers_maps_are_served_as_labelled_columns(judge, classes):
    output = judge(onnx_models.classifier(classes)).signature.outputs[1]
    assert output.labels == tuple(map(str, sorted(classes)))
    assert output.shape == (-1, len(classes))


def test_a_large_model_is_tried_from_the_files_that_will_be_served(judge):
    verdict = judge(onnx_models.linear(64, 100), split_above_bytes=1000)
    assert [file.name for file in verdict.files] == ["graph.onnx", "weights.bin"]
    assert verdict.signature == onnx_models.linear_signature(64, 100)


def test_magikas_model_passes(judge):
    (path,) = Path(str(files("magika"))).rglob("standard_v3_3/model.onnx")
    signature = judge(path.read_bytes()).signature
    assert [(s.datatype, s.shape) for s in signature.inputs] == [(Datatype.INT32, (-1, 2048))]
    assert [(s.datatype, s.shape) for s in signature.outputs] == [(Datatype.FP32, (-1, 214))]


@pytest.mark.parametrize("name", ["sigmoid", "mul_1", "logreg_iris"])
def test_onnx_runtimes_own_examples_pass(judge, name):
    path = Path(onnxruntime.__file__).parent / "datasets" / f"{name}.onnx"
    assert judge(path.read_bytes()).profile.run_ms > 0


@pytest.mark.parametrize("zipmap", [True, False])
def test_a_classifier_of_scikit_learn_passes(judge, zipmap):
    x, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(x, y)
    made = to_onnx(model, x[:1].astype(np.float32), options={"zipmap": zipmap}, target_opset=18)
    labels = [output.labels for output in judge(made).signature.outputs]
    assert labels == [(), ("0", "1", "2") if zipmap else ()]


def test_a_model_whose_samples_do_not_fit_is_no_worse_for_it(judge):
    reshape = hostile.node("Reshape", ["x", "shape"], ["y"])
    seven = onnx_models.weight("shape", np.array([7, -1], np.int64))
    names = [onnx_models.value(n, Datatype.FP32, [None, None]) for n in ("x", "y")]
    names[0] = onnx_models.value("x", Datatype.FP32, ["n", 3])
    made = hostile.model([reshape], names[:1], names[1:], [seven])
    assert judge(made).profile.run_ms == 0


def test_a_model_that_differs_from_run_to_run_is_flagged(judge):
    noise = hostile.node("RandomNormalLike", ["x"], ["y"])
    assert judge(hostile.model([noise])).profile.deterministic is False


def test_a_sound_model_that_kills_the_optimiser_is_served_without_it(judge):
    profile = judge(hostile.layer_normalization_without_bias()).profile
    assert profile.optimise is False


def test_a_model_that_crashes_is_refused_with_the_signal(judge):
    with pytest.raises(ModelRefused, match=r"kills ONNX Runtime \(SIGFPE\): export it") as refused:
        judge(hostile.division_that_traps())
    assert refused.value.rule == "TRIAL_CRASHED"


@pytest.mark.fault("F28")
def test_a_run_that_never_ends_is_refused(judge):
    with pytest.raises(ModelRefused, match="running the model takes more than 2 s") as refused:
        judge(hostile.loop_forever(), IMPATIENT)
    assert refused.value.rule == "TRIAL_TIMED_OUT"


@pytest.mark.fault("F28")
def test_a_load_that_never_ends_is_refused(judge):
    with pytest.raises(ModelRefused, match="loading the model takes more than 2 s") as refused:
        judge(hostile.matmul_fold_at_load(), IMPATIENT)
    assert refused.value.rule == "TRIAL_TIMED_OUT"


@pytest.mark.fault("F27")
def test_a_model_that_wants_terabytes_is_refused(judge):
    with pytest.raises(ModelRefused, match="takes more than 2,048 MB of memory") as refused:
        judge(hostile.huge_constant())
    assert refused.value.rule == "TRIAL_OUT_OF_MEMORY"


def test_a_model_that_onnx_runtime_does_not_know_is_refused_without_its_paths(judge):
    unknown = helper.make_node("NoSuchOperator", ["x"], ["y"], domain="com.microsoft")
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    with pytest.raises(ModelRefused, match=r"ONNX Runtime .* cannot load the model") as refused:
        judge(hostile.model([unknown], opset_imports=opsets))
    assert refused.value.rule == "TRIAL_LOAD_FAILED"
    assert "/onnxruntime" not in refused.value.sentence


def test_a_signature_that_no_record_can_hold_is_refused(judge):
    names = [onnx_models.value(f"{i:0500}", Datatype.FP32, ["n"]) for i in range(600)]
    out = onnx_models.value("y", Datatype.FP32, ["n"])
    total = hostile.node("Sum", [n.name for n in names], ["y"])
    with pytest.raises(ModelRefused, match="take more than 262,144 bytes") as refused:
        judge(hostile.model([total], names, [out]))
    assert refused.value.rule == "SIGNATURE_TOO_LARGE"

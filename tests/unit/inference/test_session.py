"""Loaded models."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from headrace_runtime.errors import HeadraceError, InferenceFailed, ModelUnfit
from headrace_runtime.inference.class_maps import labels_of
from headrace_runtime.inference.session import Session
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Datatype, Tensor
from tests import onnx_models


def session(graph: bytes, directory: Path) -> Session:
    path = directory / "model.onnx"
    path.write_bytes(graph)
    return Session(path, threads=1)


def tensor(name: str, values: np.ndarray, datatype: Datatype = Datatype.FP32) -> Tensor:
    return Tensor(name, datatype, values.astype(datatype.dtype))


@pytest.mark.parametrize(
    ("graph", "signature"),
    [
        (onnx_models.linear(), onnx_models.linear_signature()),
        (onnx_models.two_inputs(), onnx_models.TWO_INPUTS),
        (onnx_models.classifier(), onnx_models.classifier_signature()),
        (onnx_models.classifier(("b", "a")), onnx_models.classifier_signature(text=True)),
        (onnx_models.gather(), onnx_models.GATHER),
        (
            onnx_models.identity(Datatype.FP16, ()),
            onnx_models.identity_signature(Datatype.FP16, ()),
        ),
    ],
)
def test_the_signature_is_read_from_the_graph(
    graph: bytes, signature: Signature, tmp_path: Path
) -> None:
    assert session(graph, tmp_path).signature == signature


def test_an_output_that_is_no_tensor_makes_the_model_unfit(tmp_path: Path) -> None:
    node = helper.make_node("SplitToSequence", ["x"], ["y"], axis=0)
    sequence = helper.make_tensor_sequence_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = onnx_models.model([node], [onnx_models.value("x", Datatype.FP32, ["n"])], [sequence])

    with pytest.raises(ModelUnfit, match=r"output 'y' is of type seq\(tensor\(float\)\)"):
        session(graph, tmp_path)


def test_only_the_wanted_outputs_come_in_the_order_asked(tmp_path: Path) -> None:
    pair = [tensor("right", np.array([3.0])), tensor("left", np.array([2.0]))]

    outputs = session(onnx_models.two_inputs(), tmp_path).run(pair, ["scaled", "total"])

    assert [(o.name, o.array.tolist()) for o in outputs] == [("scaled", [6.0]), ("total", [5.0])]


@pytest.mark.parametrize("datatype", list(Datatype))
def test_every_datatype_passes_through(datatype: Datatype, tmp_path: Path) -> None:
    values = (
        np.array(["é".encode(), b"", b"a\0b"], np.object_)
        if datatype is Datatype.BYTES
        else np.array([0, 1, 1]).astype(datatype.dtype)
    )

    (output,) = session(onnx_models.identity(datatype, ["n"]), tmp_path).run(
        [Tensor("x", datatype, values)]
    )

    assert output.datatype is datatype
    assert output.array.tolist() == values.tolist()


@pytest.mark.parametrize("shape", [(), (0, 4), (2, 0, 3)])
def test_scalars_and_empty_tensors_keep_their_shape(shape: tuple[int, ...], tmp_path: Path) -> None:
    model = session(onnx_models.identity(Datatype.FP32, shape), tmp_path)

    (output,) = model.run([tensor("x", np.ones(shape))])

    assert output.shape == shape


@pytest.mark.parametrize(
    ("classes", "label"), [((2, 0, 1), [1]), (("b", "c", "a"), [b"c"])], ids=["int", "text"]
)
def test_a_classifiers_maps_become_columns_by_ascending_class(
    classes: tuple[int, ...] | tuple[str, ...], label: list[object], tmp_path: Path
) -> None:
    model = session(onnx_models.classifier(classes), tmp_path)

    labels, probabilities = model.run([tensor("x", np.array([[1.0, 2.0]]))])

    order = np.argsort(np.array(classes))
    scores = np.arange(6).reshape(3, 2) @ np.array([1.0, 2.0]) - 9
    expected = np.exp(scores) / np.exp(scores).sum()
    assert probabilities.array == pytest.approx(expected[order][np.newaxis], rel=1e-5)
    assert labels.datatype in (Datatype.INT64, Datatype.BYTES)
    assert len(label) == labels.array.size


def test_labels_are_the_columns_classes_as_text() -> None:
    assert labels_of([{10: 0.1, 9: 0.9}]) == ("9", "10")
    assert labels_of([{"b": 0.1, "a": 0.9}]) == ("a", "b")
    assert labels_of([]) == ()


def test_a_run_that_fails_names_the_operator_and_not_the_values(tmp_path: Path) -> None:
    model = session(onnx_models.gather(), tmp_path)

    with pytest.raises(InferenceFailed) as caught:
        model.run([tensor("i", np.array([77]), Datatype.INT64)])

    assert caught.value.sentence == "the model cannot run on these values: operator Gather failed"


def test_a_run_that_fails_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.gather())
    code = f"""
import numpy, pathlib
from headrace_runtime.inference.session import Session
from headrace_runtime.tensor import Datatype, Tensor
session = Session(pathlib.Path({str(tmp_path / "model.onnx")!r}), threads=1)
try:
    session.run([Tensor("i", Datatype.INT64, numpy.array([77]))])
except Exception:
    pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert (done.stdout, done.stderr) == (b"", b"")


def test_bytes_that_are_no_text_cannot_go_into_onnx(tmp_path: Path) -> None:
    model = session(onnx_models.identity(Datatype.BYTES, ["n"]), tmp_path)

    with pytest.raises(InferenceFailed, match="not UTF-8"):
        model.run([Tensor("x", Datatype.BYTES, np.array([b"\xff"], np.object_))])


def test_a_file_that_cannot_be_loaded_is_our_fault(tmp_path: Path) -> None:
    with pytest.raises(HeadraceError, match="cannot be loaded by ONNX Runtime"):
        session(b"not a model", tmp_path)


def test_weights_that_were_mapped_stay_when_their_file_is_gone(tmp_path: Path) -> None:
    proto = onnx.load_model_from_string(onnx_models.linear(1024, 512))
    path = tmp_path / "graph.onnx"
    onnx.save(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=1024)
    model = Session(path, threads=1)
    for file in tmp_path.iterdir():
        file.unlink()

    (output,) = model.run([tensor("x", np.ones((1, 1024)))])

    assert output.array[0, :2].tolist() == [1023 * 512, 1023 * 512 - 1024 + 1]

"""Archives as they are stored, served by the Triton that SageMaker's container runs.

Where Triton cannot run, nothing is proved here: `make triton` fetches it.
"""

import http.client
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import onnxruntime as ort
import pytest
from onnx import helper
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from tritonclient.http import InferenceServerClient, InferInput

from headrace_runtime.aws.triton_archive import write_archive
from headrace_runtime.inference.graph_signature import signature_of
from headrace_runtime.model.manifest import Profile
from headrace_runtime.model.record_rows import rows_at_once
from headrace_runtime.model.triton_config import MODEL_FOLDER, config_pbtxt, unfit_for_triton
from headrace_runtime.tensor import Array, Datatype
from headrace_runtime.validation import sample_inputs
from infra.local.child_processes import ChildProcesses
from infra.local.triton.model_engine import TRITON
from infra.local.triton.model_server import ModelServer, start_model_server
from tests import hostile_models, onnx_models

PROFILE = Profile(1.0, 0.1, 1 << 20, ort.__version__, optimise=True)
NUMBERS = [datatype for datatype in Datatype if datatype is not Datatype.BYTES]
NAMES = ('in"put', "back\\slash", "x:0", "a/b/c", "$x", "two words", "Größe", "名前", "0", "\\042")


@pytest.fixture(scope="module")
def children() -> Iterator[ChildProcesses]:
    """What starts the servers, and ends them."""
    started = ChildProcesses(remove=[])
    yield started
    started.close()


@pytest.fixture
def serve(tmp_path, children, triton_runs) -> Iterator[Callable[..., tuple[str, ModelServer]]]:
    """Serve a graph from its archive; give the configuration and the server."""
    running: list[ModelServer] = []

    def served(graph: bytes, *, together: bool = True, tensorrt: bool = False, **how: bool):
        file = tmp_path / "model.onnx"
        file.write_bytes(graph)
        signature = signature_of(_session(graph, **how))
        assert unfit_for_triton(signature) == ""
        rows = rows_at_once(signature, PROFILE, together=together)
        config = config_pbtxt(
            MODEL_FOLDER, signature, rows_at_once=rows, tensorrt=tensorrt, warm_length=8, **how
        )
        server = start_model_server(
            write_archive(file, config, tmp_path),
            environment={"SAGEMAKER_TRITON_LOG_VERBOSE": "0"},
            children=children,
            scratch=tmp_path / "scratch",
            log=tmp_path / "log",
        )
        running.append(server)
        assert server.engine == TRITON
        return config, server

    yield served
    for server in running:
        server.stop()


def _session(graph: bytes, *, optimise: bool = True) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def check(server: ModelServer, graph: bytes, *, rows: int, **how: bool) -> None:
    """Hold what Triton answers to *rows* records against what ONNX Runtime itself does."""
    session = _session(graph, **how)
    signature = signature_of(session)
    feeds = sample_inputs.samples(signature, batch=rows, length=8, kind="typical")
    expected = dict(zip(signature.output_names, session.run(None, feeds), strict=True))
    inputs = []
    for spec in signature.inputs:
        given = InferInput(spec.name, list(feeds[spec.name].shape), str(spec.datatype))
        inputs.append(given.set_data_from_numpy(feeds[spec.name], binary_data=True))
    answer = _asked(server, inputs)
    for name, array in expected.items():
        assert np.array_equal(answer(name), array)


def _asked(server: ModelServer, inputs: list[InferInput]) -> Callable[[str], Array]:
    """Ask as SageMaker asks, and return what gives an output by name."""
    body, header_length = InferenceServerClient.generate_request_body(inputs)
    binary = "application/vnd.sagemaker-triton.binary+json;json-header-size="
    where = urlsplit(server.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    kind = f"{binary}{header_length}" if header_length else "application/json"
    connection.request("POST", "/invocations", body, {"Content-Type": kind})
    response = connection.getresponse()
    answer, kind = response.read(), response.getheader("Content-Type", "")
    connection.close()
    assert response.status == 200, answer
    given = InferenceServerClient.parse_response_body(
        answer, header_length=int(kind.removeprefix(binary))
    )
    return given.as_numpy


@pytest.mark.parametrize("rows", [1, 7])
def test_a_model_of_many_records_answers_as_on_the_cpu(serve, rows):
    config, server = serve(onnx_models.linear(20, 3))
    assert "max_batch_size: 65536\n" in config
    check(server, onnx_models.linear(20, 3), rows=rows)


@pytest.mark.parametrize("datatype", NUMBERS)
def test_every_datatype_but_text_comes_back_as_it_went(serve, datatype):
    graph = onnx_models.identity(datatype, ["n", 3])
    _, server = serve(graph)
    check(server, graph, rows=5)


def test_names_come_through_whatever_they_hold(serve):
    values = [onnx_models.value(name, Datatype.FP32, ["n", 2]) for name in NAMES]
    results = [onnx_models.value(f"{name} out", Datatype.FP32, ["n", 2]) for name in NAMES]
    nodes = [helper.make_node("Neg", [name], [f"{name} out"]) for name in NAMES]
    graph = onnx_models.model(nodes, values, results)
    _, server = serve(graph)
    check(server, graph, rows=3)


def test_bare_numbers_are_no_batch_for_triton_and_many_at_once_all_the_same(serve):
    config, server = serve(onnx_models.two_inputs())
    assert "max_batch_size: 0\n" in config
    assert 'input { name: "left" data_type: TYPE_FP32 dims: [ -1 ] }' in config
    check(server, onnx_models.two_inputs(), rows=9)


def test_indices_answer_with_what_they_mean(serve):
    _, server = serve(onnx_models.gather())
    check(server, onnx_models.gather(), rows=4)


@pytest.mark.parametrize("rows", [1, 50])
def test_a_classifier_of_scikit_learn_answers_as_on_the_cpu(serve, rows):
    x, y = load_iris(return_X_y=True)
    trees = RandomForestClassifier(10, random_state=0).fit(x, y)
    made = to_onnx(trees, x[:1].astype(np.float32), options={"zipmap": False}, target_opset=18)
    graph = made.SerializeToString()
    _, server = serve(graph)
    check(server, graph, rows=rows)


def test_a_model_of_one_record_a_run_takes_one(serve):
    graph = onnx_models.identity(Datatype.FP32, [1, 4])
    config, server = serve(graph)
    assert "max_batch_size: 0\n" in config
    assert "dims: [ 1, 4 ]" in config
    check(server, graph, rows=1)


def test_a_model_whose_records_do_not_run_together_is_no_batch_for_triton(serve):
    graph = onnx_models.identity()
    config, server = serve(graph, together=False)
    assert "max_batch_size: 0\n" in config
    check(server, graph, rows=1)


def test_free_dimensions_stay_free(serve):
    graph = onnx_models.identity(Datatype.INT64, ["n", "words", 2, "letters"])
    config, server = serve(graph)
    assert "dims: [ -1, 2, -1 ]" in config
    check(server, graph, rows=3)


def test_a_choice_of_tensorrt_does_not_hinder_where_there_is_none(serve):
    config, server = serve(onnx_models.linear(), tensorrt=True)
    assert 'name: "tensorrt"' in config
    assert config.count("model_warmup") == 2
    check(server, onnx_models.linear(), rows=7)


def test_magikas_model_answers_as_on_the_cpu(serve):
    (path,) = Path(str(files("magika"))).rglob("standard_v3_3/model.onnx")
    _, server = serve(path.read_bytes())
    check(server, path.read_bytes(), rows=2)


def test_a_graph_that_kills_the_optimiser_is_not_optimised(serve):
    graph = hostile_models.layer_normalization_without_bias().SerializeToString()
    config, server = serve(graph, optimise=False)
    assert "graph { level: 2 }" in config
    check(server, graph, rows=1, optimise=False)

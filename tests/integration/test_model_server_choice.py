"""Which model server is started, and what there is of Triton besides the contract."""

import json
import os
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http

from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype
from infra.local.triton import shared_memory, wheel
from infra.local.triton.load_failure import ModelServerFailed
from infra.local.triton.model_engine import STAND_IN, TRITON
from tests import onnx_models
from tests.conftest import ROOT
from tests.integration.served_models import (
    Servers,
    arrays,
    binary,
    call,
    config,
    plain,
)

LINEAR, LINEAR_SIGNATURE = onnx_models.linear(), onnx_models.linear_signature()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.close()


@pytest.fixture
def triton(monkeypatch: pytest.MonkeyPatch, triton_runs: None) -> None:
    monkeypatch.delenv("HEADRACE_MODEL_SERVER", raising=False)


def test_it_is_triton_where_triton_runs(servers, triton):
    assert servers.serve(LINEAR, config(LINEAR_SIGNATURE)).engine == TRITON


def test_a_variable_chooses_the_stand_in(servers, monkeypatch):
    monkeypatch.setenv("HEADRACE_MODEL_SERVER", "stand-in")

    assert servers.serve(LINEAR, config(LINEAR_SIGNATURE)).engine == STAND_IN


def test_a_variable_that_names_neither_is_refused(servers, monkeypatch):
    monkeypatch.setenv("HEADRACE_MODEL_SERVER", "tritton")

    with pytest.raises(ModelServerFailed, match="tritton, neither triton nor stand-in"):
        servers.serve(LINEAR, config(LINEAR_SIGNATURE))


TEXT = (
    'input { name: "x" data_type: TYPE_STRING dims: 4 }'
    'output { name: "y" data_type: TYPE_STRING dims: 4 }'
)


def test_a_model_of_text_is_served_by_the_stand_in(servers, monkeypatch):
    monkeypatch.delenv("HEADRACE_MODEL_SERVER", raising=False)
    server = servers.serve(onnx_models.identity(Datatype.BYTES), "max_batch_size: 8 " + TEXT)
    words = np.array([[b"a", b"", "wörter".encode(), b"d"]], object)

    answer = call(server.url, *binary({"x": words}, ["y"]))

    assert server.engine == STAND_IN
    signature = onnx_models.identity_signature(Datatype.BYTES)
    assert arrays(answer, signature)["y"].tolist() == words.tolist()
    as_json = call(server.url, {"inputs": [plain([["a", "", "wörter", "d"]], datatype="BYTES")]})
    assert as_json.json["outputs"][0]["data"] == ["a", "", "wörter", "d"]


def test_triton_refuses_a_model_of_text_when_it_has_to_serve_it(servers, triton, monkeypatch):
    monkeypatch.setenv("HEADRACE_MODEL_SERVER", "triton")

    with pytest.raises(ModelServerFailed, match="'x' is text, which cannot cross by DLPack"):
        servers.serve(onnx_models.identity(Datatype.BYTES), "max_batch_size: 8 " + TEXT)


def test_a_configuration_that_triton_refuses_is_refused_in_its_words(servers, triton):
    with pytest.raises(ModelServerFailed, match="no GPUs are available"):
        servers.serve(LINEAR, config(LINEAR_SIGNATURE).replace("KIND_AUTO", "KIND_GPU"))
    with pytest.raises(ModelServerFailed, match="preferred size must be <= max batch size"):
        servers.serve(
            LINEAR, config(LINEAR_SIGNATURE).replace("max_batch_size: 8", "max_batch_size: 4")
        )


def test_the_client_of_nvidia_reaches_the_same_model_over_tritons_own_http(servers, triton):
    server = servers.serve(LINEAR, config(LINEAR_SIGNATURE), also_http=True)
    assert server.http_url is not None
    x = tritonclient.http.InferInput("x", [1, 4], "FP32")
    x.set_data_from_numpy(np.array([[0, 1, 2, 3]], np.float32))

    with tritonclient.http.InferenceServerClient(server.http_url.removeprefix("http://")) as client:
        answer = client.infer("model", [x])

    assert answer.as_numpy("y").tolist() == [[14.0, 9.0, 4.0]]


def test_triton_runs_the_requests_of_several_clients_as_one(servers, triton):
    """Shown by its own count: fewer runs than requests, and each answer that of its request."""
    # Long enough for clients to meet on a machine that has other work.
    slow = config(LINEAR_SIGNATURE, 64).replace("microseconds: 500", "microseconds: 20000")
    server = servers.serve(LINEAR, slow, also_http=True)
    warm = _counted(server)

    def client(number):
        return call(server.url, {"inputs": [plain([[number, 0, 0, 0]])]}).json["outputs"][0]["data"]

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(client, range(64)))

    assert answers == [[0.0, 1.0 - number, 2.0 - 2 * number] for number in range(64)]
    requests, runs = _counted(server) - warm
    assert requests == 64
    assert runs < requests


def _counted(server):
    with urllib.request.urlopen(f"{server.http_url}/v2/models/model/stats") as response:
        stats = json.load(response)["model_stats"][0]
    return np.array([stats["inference_count"], stats["execution_count"]])


def test_an_output_of_another_length_than_its_records_is_not_shared_out(servers, triton):
    """Records that are alike are answered as one: requests put together run apart again."""
    helper = onnx_models.helper
    graph = onnx_models.model(
        [helper.make_node("Unique", ["x"], ["y"], axis=0)],
        [onnx_models.value("x", Datatype.FP32, ["n", 2])],
        [onnx_models.value("y", Datatype.FP32, ["m", 2])],
    )
    signature = Signature(
        (TensorSpec("x", Datatype.FP32, (-1, 2)),), (TensorSpec("y", Datatype.FP32, (-1, 2)),)
    )
    server = servers.serve(graph, config(signature))

    def client(_):
        return call(server.url, {"inputs": [plain([[5, 1]])]}).json["outputs"][0]["data"]

    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(client, range(40))) == [[5.0, 1.0]] * 40


KILLED = """
import sys, time
from pathlib import Path
from tests.integration.served_models import Servers, config
from tests import onnx_models
servers = Servers(Path(sys.argv[1]))
server = servers.serve(onnx_models.linear(), config(onnx_models.linear_signature()))
print(server.url, flush=True)
time.sleep(60)
"""


def test_a_server_ends_with_whoever_started_it_even_by_kill_9(tmp_path, servers):
    starter = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert starter.stdout is not None
    url = starter.stdout.readline().strip()
    assert call(url, b"", None, method="GET", path="/ping").status == 200

    starter.kill()
    starter.communicate()

    end = time.monotonic() + 10
    while _answers(url) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _answers(url)
    shared_memory.remove_orphans()
    assert list(Path("/dev/shm").glob(f"headrace-{starter.pid}-*")) == []


def _answers(url: str) -> bool:
    try:
        call(url, b"", None, method="GET", path="/ping")
    except OSError:
        return False
    return True


def test_memory_of_whoever_still_runs_is_left(tmp_path):
    mine = Path("/dev/shm", f"{shared_memory.new_prefix()}-test")
    mine.write_bytes(b"")

    shared_memory.remove_orphans()

    assert mine.exists()
    mine.unlink()


def test_where_the_wheel_cannot_be_had_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)

    reason = wheel.install(tmp_path / "cache")

    assert reason == "No matching distribution found for nvidia-pytriton==0.7.0."
    assert not (tmp_path / "cache" / "ready").exists()

"""Clients that people already have, unmodified, against the local cloud."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from headrace import Client
from headrace_runtime.tensor import Datatype
from tests import onnx_models

X = np.array([[1.0, 2.0, 3.0, 4.0], [0.5, 0.0, 0.0, -1.0]], np.float32)
# onnx_models.linear: w[i, j] = i - j, b[j] = j
Y = X @ (np.arange(4)[:, None] - np.arange(3)).astype(np.float32) + np.arange(3, dtype=np.float32)


class Credential(triton.InferenceServerClientPlugin):
    """What a user writes to send a key with every call of Triton's client."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def __call__(self, request) -> None:
        request.headers.update(self._headers)


@pytest.fixture(scope="module")
def published(cloud) -> None:
    with Client(cloud.url, api_key=cloud.api_key) as client:
        client.publish(onnx_models.linear(), "triton-linear")
        client.publish(onnx_models.linear(outputs=2), "triton-linear")
        client.publish(onnx_models.two_inputs(), "triton-pair")
        client.publish(onnx_models.identity(Datatype.BYTES), "triton-text")
        client.publish(onnx_models.identity(Datatype.FP16), "triton-half")


@pytest.fixture(scope="module")
def client(cloud, published) -> Iterator[triton.InferenceServerClient]:
    made = triton.InferenceServerClient(urlsplit(cloud.url).netloc, network_timeout=60.0)
    made.register_plugin(Credential(cloud.credential))
    yield made
    made.close()


def _input(name: str, array: np.ndarray, datatype: str = "FP32", *, binary: bool = True):
    made = triton.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def test_the_server_says_that_it_is_live_and_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()


def test_the_server_says_what_it_speaks(client):
    metadata = client.get_server_metadata()

    assert metadata["name"] == "headrace"
    assert "binary_tensor_data" in metadata["extensions"]


def test_a_model_is_ready_and_a_missing_one_is_not(client):
    assert client.is_model_ready("triton-linear")
    assert client.is_model_ready("triton-linear", "2")
    assert not client.is_model_ready("triton-linear", "3")
    assert not client.is_model_ready("triton-none")


def test_metadata_names_versions_inputs_and_outputs(client):
    metadata = client.get_model_metadata("triton-linear")

    assert metadata["versions"] == ["1", "2"]
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert metadata["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}]


def test_the_repository_index_lists_every_version(client):
    index = client.get_model_repository_index()

    found = {(entry["name"], entry.get("version"), entry["state"]) for entry in index}
    assert {("triton-linear", "1", "READY"), ("triton-linear", "2", "READY")} <= found


@pytest.mark.parametrize("binary_in", [True, False], ids=["binary in", "JSON in"])
@pytest.mark.parametrize("binary_out", [True, False, None], ids=["binary", "JSON", "default out"])
def test_predictions_come_back_however_they_travel(client, binary_in, binary_out):
    wanted = None if binary_out is None else [triton.InferRequestedOutput("y", binary_out)]

    answer = client.infer("triton-linear", [_input("x", X, binary=binary_in)], outputs=wanted)

    np.testing.assert_array_equal(answer.as_numpy("y"), Y)


def test_binary_and_json_inputs_mix_in_one_request(client):
    left, right = np.array([1.0, 2.0], np.float32), np.array([3.0, 0.5], np.float32)

    answer = client.infer(
        "triton-pair", [_input("left", left, binary=False), _input("right", right, binary=True)]
    )

    np.testing.assert_array_equal(answer.as_numpy("total"), left + right)
    np.testing.assert_array_equal(answer.as_numpy("scaled"), left * right)


def test_only_the_chosen_output_comes_back(client):
    one = np.array([2.0], np.float32)

    answer = client.infer(
        "triton-pair",
        [_input("left", one), _input("right", one)],
        outputs=[triton.InferRequestedOutput("scaled")],
    )

    assert [output["name"] for output in answer.get_response()["outputs"]] == ["scaled"]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_bodies_may_be_compressed_both_ways(client, algorithm):
    answer = client.infer(
        "triton-linear",
        [_input("x", X)],
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )

    np.testing.assert_array_equal(answer.as_numpy("y"), Y)


def test_strings_come_back_as_they_went(client):
    words = np.array([["a", "", "ü€", "long " * 100]], np.object_)

    answer = client.infer("triton-text", [_input("x", words, "BYTES")])

    assert [word.decode() for word in answer.as_numpy("y")[0]] == list(words[0])


def test_half_precision_travels_as_binary(client):
    halves = np.array([[0.1, -2.0, 65504.0, np.inf]], np.float16)

    answer = client.infer("triton-half", [_input("x", halves, "FP16")])

    np.testing.assert_array_equal(answer.as_numpy("y"), halves)


def test_the_id_comes_back(client):
    answer = client.infer("triton-linear", [_input("x", X)], request_id="call-7")

    assert answer.get_response()["id"] == "call-7"


@pytest.mark.parametrize(("version", "columns"), [("1", 3), ("2", 2), ("live", 3), ("", 3)])
def test_a_version_or_an_alias_is_chosen_in_the_url(client, version, columns):
    answer = client.infer("triton-linear", [_input("x", X)], model_version=version)

    assert answer.as_numpy("y").shape == (2, columns)
    assert answer.get_response()["model_version"] == ("2" if version == "2" else "1")


def test_calls_may_run_at_once(cloud, published):
    with triton.InferenceServerClient(
        urlsplit(cloud.url).netloc, concurrency=4, network_timeout=60.0
    ) as client:
        client.register_plugin(Credential(cloud.credential))
        calls = [
            client.async_infer("triton-linear", [_input("x", X * np.float32(n))]) for n in range(12)
        ]
        answers = [call.get_result().as_numpy("y") for call in calls]

    bias = np.arange(3, dtype=np.float32)
    for n, answer in enumerate(answers):
        np.testing.assert_array_equal(answer, (Y - bias) * n + bias)


@pytest.mark.parametrize(
    ("model", "tensors", "version", "sentence"),
    [
        ("triton-none", [_input("x", X)], "", "model 'triton-none' is not registered"),
        ("triton-linear", [_input("x", X)], "9", "has no version 9"),
        ("triton-linear", [_input("x", X)], "beta", "has no alias 'beta'"),
        ("triton-linear", [_input("x", X[:, :3].copy())], "", "takes shape [-1, 4]"),
        ("triton-linear", [_input("x", X.astype(np.float64), "FP64")], "", "takes FP32, got FP64"),
        ("triton-linear", [_input("z", X)], "", "no input 'z'"),
        ("triton-pair", [_input("left", X[0])], "", "input 'right' is missing"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(client, model, tensors, version, sentence):
    with pytest.raises(InferenceServerException) as raised:
        client.infer(model, tensors, model_version=version)

    assert sentence in str(raised.value)
    assert raised.value.status() in {"404", "422"}

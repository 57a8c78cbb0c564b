"""A model whose calls a GPU answers, through the whole cloud: provision, endpoint, Triton."""

import numpy as np
import pytest
import tritonclient.http
from onnx import TensorProto, helper, numpy_helper

from headrace import ApiError, Client
from tests.e2e.conftest import Cloud, eventually

ENDPOINT_S = 60


def picked() -> bytes:
    """`y = w[x]`, `z = 2 y`: ten numbers by their place, which must be one of the ten."""
    nodes = [
        helper.make_node("Gather", ["w", "x"], ["y"]),
        helper.make_node("Add", ["y", "y"], ["z"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.INT64, ["n", 2])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("y", "z")
    ]
    w = numpy_helper.from_array(np.arange(10, dtype=np.float32) / 3, "w")
    graph = helper.make_graph(nodes, "picked", [x], outputs, [w])
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


@pytest.fixture(scope="module")
def client(cloud: Cloud):
    with Client(cloud.url, api_key=cloud.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def realtime(cloud: Cloud, client: Client) -> str:
    """A model whose endpoint is ready."""
    client.publish(picked(), "picked", accelerator="gpu", realtime=True)
    cloud.client("events").put_events(  # sooner than the clock would
        Entries=[{"Source": "headrace", "DetailType": "Versions Moved", "Detail": "{}"}]
    )
    asks = tritonclient.http.InferenceServerClient(cloud.url.removeprefix("http://"))
    headers = cloud.credential
    eventually(
        lambda: asks.is_model_ready("picked", headers=headers),
        within_s=ENDPOINT_S,
        what="the endpoint is ready",
    )
    asks.close()
    return "picked"


def test_a_gpu_answers_what_the_cpu_would(client: Client, realtime: str) -> None:
    x = np.array([[1, 2], [9, 0], [5, 5]])

    answer = client.predict(realtime, x)

    expected = (np.arange(10, dtype=np.float32) / 3)[x]
    assert answer["y"].tolist() == expected.tolist()
    assert answer["z"].tolist() == (expected + expected).tolist()
    assert list(client.predict(realtime, x, outputs=["z"])) == ["z"]


def test_records_that_are_many_are_answered_all(client: Client, realtime: str) -> None:
    x = np.arange(280_000).reshape(-1, 2) % 10

    answer = client.predict(realtime, x, outputs=["y"])

    assert answer["y"].tolist() == (np.arange(10, dtype=np.float32) / 3)[x].tolist()


def test_values_that_the_model_cannot_take_are_the_callers_mistake(
    client: Client, realtime: str
) -> None:
    with pytest.raises(ApiError) as failure:
        client.predict(realtime, np.array([[1, 77]]))

    assert (failure.value.status, failure.value.code) == (422, "INFERENCE_FAILED")
    assert failure.value.sentence == (
        "the model cannot run on these values: operator Gather failed"
    )


def test_a_model_for_jobs_alone_says_so(client: Client) -> None:
    client.publish(picked(), "picked-by-jobs", accelerator="gpu")

    with pytest.raises(ApiError) as failure:
        client.predict("picked-by-jobs", np.array([[1, 2]]))

    assert (failure.value.status, failure.value.code) == (422, "GPU_ONLY")

"""KServe's own client, unmodified, against the local cloud."""

import asyncio

import numpy as np
import pytest

from headrace import Client
from tests import onnx_models

kserve = pytest.importorskip("kserve", reason="installed by `make test-long` only")
pytestmark = pytest.mark.long

X = np.array([[1.0, 2.0, 3.0, 4.0]], np.float32)


@pytest.fixture(scope="module")
def model(cloud) -> str:
    with Client(cloud.url, api_key=cloud.api_key) as client:
        client.publish(onnx_models.linear(), "kserve-linear")
    return "kserve-linear"


def _asked(question):
    """Put a question to a client of its own, which is closed before its event loop is."""

    async def ask():
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2", timeout=60))
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("binary", [True, False])
def test_kserves_client_gets_predictions(cloud, model, binary):
    tensor = kserve.InferInput("x", list(X.shape), "FP32")
    tensor.set_data_from_numpy(X, binary_data=binary)
    request = kserve.InferRequest(model, [tensor])

    answer = _asked(
        lambda client: client.infer(cloud.url, request, model_name=model, headers=cloud.credential)
    )

    np.testing.assert_array_equal(answer.outputs[0].as_numpy(), [[20.0, 11.0, 2.0]])


@pytest.mark.parametrize("question", ["is_server_live", "is_server_ready"])
def test_kserves_client_sees_that_the_server_stands(cloud, question):
    assert _asked(lambda client: getattr(client, question)(cloud.url))


def test_kserves_client_sees_that_a_model_is_ready(cloud, model):
    assert _asked(lambda client: client.is_model_ready(cloud.url, model, headers=cloud.credential))

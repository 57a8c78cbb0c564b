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
    with Client(cloud.url) as client:
        client.publish(onnx_models.linear(), "kserve-linear")
    return "kserve-linear"


@pytest.fixture
def client():
    return kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2", timeout=60))


@pytest.mark.parametrize("binary", [True, False])
def test_kserves_client_gets_predictions(cloud, model, client, binary):
    tensor = kserve.InferInput("x", list(X.shape), "FP32")
    tensor.set_data_from_numpy(X, binary_data=binary)

    answer = asyncio.run(
        client.infer(cloud.url, kserve.InferRequest(model, [tensor]), model_name=model)
    )

    np.testing.assert_array_equal(answer.outputs[0].as_numpy(), [[20.0, 11.0, 2.0]])


def test_kserves_client_sees_readiness(cloud, model, client):
    assert asyncio.run(client.is_server_live(cloud.url))
    assert asyncio.run(client.is_server_ready(cloud.url))
    assert asyncio.run(client.is_model_ready(cloud.url, model))

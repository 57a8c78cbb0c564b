"""Whatever the tensors, an endpoint gets them as they are, and what it answers comes back so."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from headrace_runtime.aws.gpu_inference import GpuInference
from headrace_runtime.aws.light_sagemaker import LightSageMaker
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.routing import Routing
from headrace_runtime.model.acceleration import Acceleration
from headrace_runtime.model.manifest import Archive, Manifest, Profile, StoredFile
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor
from tests.integration.realtime_endpoint import Call, RealtimeEndpoint, Said, answered

NUMBERS = [datatype for datatype in Datatype if datatype is not Datatype.BYTES]


class Table:
    """A registry that has one endpoint."""

    def get_item(self, **_: Any) -> Any:
        realtime = {"name": {"S": "e"}, "state": {"S": "ready"}, "reason": {"S": ""}}
        return {"Item": {"sagemaker_model": {"S": "m"}, "realtime": {"M": realtime}}}

    def query(self, **_: Any) -> Any:
        raise AssertionError


@pytest.fixture(scope="module")
def endpoint() -> Iterator[RealtimeEndpoint]:
    """What answers `y = x`, and `z` that is `y` backwards."""
    runtime = RealtimeEndpoint()
    runtime.default = mirrored
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def gpus(endpoint: RealtimeEndpoint) -> Iterator[GpuInference]:
    """What calls it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", endpoint.url)
        sagemaker = LightSageMaker()
        registry = Registry("registry", dynamodb=Table())
        routing = Routing(registry, alias_ttl_s=60.0, clock=lambda: 0.0)
        yield GpuInference(routing, sagemaker=sagemaker)
        sagemaker.close()


def mirrored(call: Call) -> Said:
    [x] = call.tensors().values()
    wanted = {"y": x, "z": x[..., ::-1]}
    return answered({plain["name"]: wanted[plain["name"]] for plain in call.head["outputs"]})


def manifest(datatype: Datatype, rows_at_once: int) -> Manifest:
    """Facts of a realtime version whose `x` has any number of rows and columns."""
    x, y, z = (TensorSpec(name, datatype, (-1, -1)) for name in "xyz")
    file = StoredFile("artifacts/a/model.onnx", "a" * 64, 1)
    return Manifest(
        model="wine",
        version=1,
        digest="a" * 64,
        size_bytes=1,
        origin="",
        signature=Signature((x,), (y, z)),
        files=(file,),
        profile=Profile(1.0, 0.1, 1, "1.32.0", optimise=True),
        registered_at="",
        acceleration=Acceleration(realtime=True),
        archive=Archive(file, rows_at_once),
    )


@given(data=st.data(), datatype=st.sampled_from(NUMBERS), at_once=st.sampled_from([1, 2, 4, 64]))
def test_values_of_every_datatype_and_shape_come_back_bit_by_bit(
    data: st.DataObject, datatype: Datatype, at_once: int, gpus: GpuInference
) -> None:
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 5)))
    x = data.draw(arrays.arrays(datatype.dtype, shape))
    wanted = data.draw(st.sampled_from([(), ("y",), ("z", "y")]))

    outputs = gpus.predict(
        manifest(datatype, at_once), [Tensor("x", datatype, x)], wanted, left_ms=lambda: 29_000
    )

    expected = {"y": x, "z": np.ascontiguousarray(x[:, ::-1])}
    assert [output.name for output in outputs] == list(wanted or ("y", "z"))
    for output in outputs:
        assert output.datatype is datatype
        assert output.shape == shape
        assert output.array.tobytes() == expected[output.name].tobytes()

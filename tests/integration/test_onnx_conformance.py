"""ONNX's node tests through predict's handler: JSON and binary, equal to direct ONNX Runtime."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import onnxruntime
import pytest

from headrace_runtime.aws.registry import version_key
from headrace_runtime.codec import raw_tensor
from headrace_runtime.codec.json_tensor import tensor_from_json, tensor_to_json
from headrace_runtime.codec.json_text import read_json, write_json
from headrace_runtime.model.manifest import Manifest, Profile, StoredFile
from headrace_runtime.tensor import Datatype, Tensor
from tests.integration.onnx_cases import Case, all_cases, carried, sample

Judge = Callable[[Iterable[Case]], tuple[int, list[str]]]


@pytest.fixture
def judge(
    function: Callable[..., ModuleType],
    event: Callable[..., dict[str, Any]],
    context: Any,
) -> Judge:
    """Run cases through the handler; give how many passed, and what failed."""
    handler = function("predict")
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")

    def store(manifest: Manifest, graph: bytes) -> None:
        # Not `publish`: in moto every transaction copies the whole table and keeps the copy.
        s3.put_object(Bucket="models", Key=manifest.files[0].key, Body=graph)
        item = {
            "pk": f"MODEL#{manifest.model}",
            "sk": version_key(1),
            "manifest": json.dumps(manifest.to_dict()),
        }
        dynamodb.put_item(TableName="registry", Item={k: {"S": v} for k, v in item.items()})

    def answer(model: str, case: Case, *, binary: bool) -> list[Tensor]:
        body, headers = request(case, binary=binary)
        call = event("predict.infer_binary" if binary else "predict.infer_json")
        call["headers"] |= headers
        call |= {
            "routeKey": "POST /v2/models/{model}/versions/{version}/infer",
            "pathParameters": {"model": model, "version": "1"},
            "body": base64.b64encode(body).decode() if binary else body.decode(),
        }
        answered = handler.lambda_handler(call, context)
        assert answered["statusCode"] == 200, answered["body"]
        return response(answered)

    def run(cases: Iterable[Case]) -> tuple[int, list[str]]:
        passed, failed = 0, []
        for index, case in enumerate(cases):
            model = f"case-{index}"
            store(manifest_of(model, case), case.graph)
            try:
                for binary in (False, True):
                    same(answer(model, case, binary=binary), case)
                passed += 1
            except AssertionError as error:
                failed.append(f"{case.name}: {error}")
        return passed, failed

    return run


def manifest_of(model: str, case: Case) -> Manifest:
    digest, size = hashlib.sha256(case.graph).hexdigest(), len(case.graph)
    return Manifest(
        model=model,
        version=1,
        digest=digest,
        size_bytes=size,
        origin="s3://models/models/test.onnx?versionId=1",
        signature=case.signature,
        files=(StoredFile(f"artifacts/{digest}/model.onnx", digest, size),),
        profile=Profile(1.0, 0.1, 1 << 20, onnxruntime.__version__, optimise=True),
        registered_at="2026-11-23T00:00:00+00:00",
    )


def request(case: Case, *, binary: bool) -> tuple[bytes, dict[str, str]]:
    inputs, raws = [], []
    for tensor in case.inputs:
        plain = {
            "name": tensor.name,
            "datatype": str(tensor.datatype),
            "shape": list(tensor.shape),
        }
        if binary:
            raws.append(raw_tensor.to_bytes(tensor))
            inputs.append(plain | {"parameters": {"binary_data_size": len(raws[-1])}})
        else:
            inputs.append(plain | {"data": tensor_to_json(tensor)})
    head = write_json({"inputs": inputs, "parameters": {"binary_data_output": binary}})
    return head + b"".join(raws), {"inference-header-content-length": str(len(head))}


def response(answered: dict[str, Any]) -> list[Tensor]:
    if not answered["isBase64Encoded"]:
        outputs = read_json(answered["body"].encode())["outputs"]
        return [
            tensor_from_json(o["name"], Datatype(o["datatype"]), tuple(o["shape"]), o["data"])
            for o in outputs
        ]
    body = base64.b64decode(answered["body"])
    position = int(answered["headers"]["inference-header-content-length"])
    tensors = []
    for output in json.loads(body[:position])["outputs"]:
        raw = body[position : position + output["parameters"]["binary_data_size"]]
        position += len(raw)
        datatype, shape = Datatype(output["datatype"]), tuple(output["shape"])
        tensors.append(raw_tensor.from_bytes(output["name"], datatype, shape, raw))
    return tensors


def same(outputs: list[Tensor], case: Case) -> None:
    assert [output.name for output in outputs] == case.signature.output_names
    for output, direct in zip(outputs, case.outputs, strict=True):
        assert output.shape == direct.shape
        if output.datatype is Datatype.BYTES:
            assert [e.decode() for e in output.array.ravel()] == direct.ravel().tolist()
        else:
            assert output.array.dtype == direct.dtype
            # ONNX Runtime itself rounds a mean by where its input lies in memory, so that eleven
            # normalisations differ in the last bits from one call to the next.
            slack = 1e-6 if output.datatype.is_float else 0
            np.testing.assert_allclose(output.array, direct, rtol=10 * slack, atol=slack)


def test_a_sample_of_onnx_node_tests_passes_through_predict(judge: Judge) -> None:
    passed, failed = judge(carried(sample(all_cases(), of_each=5)))

    print(f"ONNX node tests, sample: {passed} passed, {len(failed)} failed")  # noqa: T201
    assert failed == []
    assert passed >= 140


@pytest.mark.long
def test_every_onnx_node_test_that_onnx_runtime_passes_passes_through_predict(
    judge: Judge,
) -> None:
    passed, failed = judge(carried(all_cases()))

    print(f"ONNX node tests: {passed} passed, {len(failed)} failed")  # noqa: T201
    assert failed == []
    assert passed >= 1_400

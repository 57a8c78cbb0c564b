"""What is deployed, run: each function from exactly the folders that AWS gets."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.registration import Registration
from headrace_runtime.model.alias import Alias
from infra.aws import build_layers, function_sizes
from infra.aws.built_folder import size_bytes
from tests import onnx_models
from tests.conftest import CREDENTIALS, SETTINGS
from tests.infrastructure.built import BuiltFunction, layer
from tests.infrastructure.cloud import ROOT, Cloud

FUNCTIONS = sorted(file.parent.name for file in ROOT.glob("functions/*/handler.py"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_starts_from_its_built_folders_alone(
    function: str, cloud: Cloud, lambda_python: Path, tmp_path: Path
):
    built = BuiltFunction.of(function, cloud, lambda_python, tmp_path)
    environment = cloud.environment(function) | CREDENTIALS

    started = built.start(environment | {"AWS_LAMBDA_FUNCTION_NAME": function})

    assert built.holds(started["files"]["handler"])
    assert built.holds(started["files"]["headrace_runtime.settings"])
    # All of it was read as bytecode.
    assert [file for file in started["compiled"] if built.holds(file)] == []


def test_predict_answers_from_its_built_folders_alone(
    cloud: Cloud,
    lambda_python: Path,
    tmp_path: Path,
    publish: Callable[..., Any],
    event: Callable[..., dict[str, Any]],
    aws_endpoint: str,
):
    publish("wine", onnx_models.linear(), onnx_models.linear_signature())
    predict = BuiltFunction.of("predict", cloud, lambda_python, tmp_path)
    environment = SETTINGS["predict"].to_env() | CREDENTIALS

    run = predict.start(
        environment | {"AWS_ENDPOINT_URL": aws_endpoint}, event("predict.infer_json")
    )

    assert run["answer"]["statusCode"] == 200
    (output,) = json.loads(run["answer"]["body"])["outputs"]
    assert output["data"] == [20.0, 11.0, 2.0, 0.0, 1.0, 2.0]
    assert Path(run["files"]["onnxruntime"]).is_relative_to(layer("inference", bytecode=True))


def test_register_tries_a_model_in_a_child_that_sees_its_built_folders_too(
    cloud: Cloud,
    lambda_python: Path,
    tmp_path: Path,
    registration: Registration,
    event: Callable[..., dict[str, Any]],
    aws_endpoint: str,
):
    key = "models/digits/digits v1.onnx"
    stored = boto3.client("s3").put_object(Bucket="models", Key=key, Body=onnx_models.linear())
    dropped = event("register.dropped_model")
    body = json.loads(dropped["Records"][0]["body"])
    body["detail"]["object"] |= {"key": key, "version-id": stored["VersionId"]}
    dropped["Records"][0]["body"] = json.dumps(body)
    register = BuiltFunction.of("register", cloud, lambda_python, tmp_path)
    environment = SETTINGS["register"].to_env() | CREDENTIALS

    run = register.start(environment | {"AWS_ENDPOINT_URL": aws_endpoint}, dropped)

    assert run["answer"] == {"batchItemFailures": []}
    assert registration.alias("digits", "live") == Alias("live", 1)


# What a function may import only when it is called, so that starting it proves nothing.
HELD = {
    "essentials": "import aws_lambda_powertools, jmespath, numpy.linalg, numpy.random, orjson",
    "inference": "import onnxruntime",
    "files": "import backports.zstd, simdjson; "
    "simdjson.Parser().parse(b'[1]').as_buffer(of_type='d')",
    "parquet": "import pyarrow.parquet; pyarrow.array([1.5]).to_numpy()",
    "onnx": "import ml_dtypes, onnx.checker, onnx.shape_inference",
    "tokens": "import jwt; jwt.get_algorithm_by_name('RS256')",
}


@pytest.mark.parametrize("name", build_layers.NAMES)
def test_what_a_layer_holds_can_be_imported(name: str, lambda_python: Path):
    # numpy, and what Powertools and onnx both want, are in the one that every function sees.
    folders = [layer(one, bytecode=True) / "python" for one in (name, "essentials")]
    code = f"import sys; sys.path[:0] = sys.argv[1:]; {HELD[name]}"
    command = [str(lambda_python), "-I", "-S", "-B", "-c", code, *map(str, folders)]

    answer = subprocess.run(command, env={}, check=False, capture_output=True, text=True)

    assert (answer.returncode, answer.stderr) == (0, "")


def test_predict_is_under_100_mb_and_every_function_under_lambdas_limit(
    cloud: Cloud, everything: Path, has_lambda_python: bool
):
    for name in {name for function in FUNCTIONS for name in cloud.layers_of(function)}:
        layer(name, bytecode=has_lambda_python)  # stands, so that nothing is fetched

    found = function_sizes.function_sizes(everything / "heavy", bytecode=has_lambda_python)
    sizes = {size.function: size for size in found}

    assert set(sizes) == set(FUNCTIONS)
    assert sizes["predict"].total_bytes < 100_000_000
    for size in sizes.values():
        assert size.total_bytes < function_sizes.LIMIT_BYTES
        assert set(size.layers) == set(cloud.layers_of(size.function))
    inference = size_bytes(layer("inference", bytecode=has_lambda_python))
    assert sizes["predict"].layers["inference"] == inference


def test_the_table_of_sizes_has_a_line_for_each_function():
    sizes = [
        function_sizes.FunctionSize(
            "predict", 8_500, {"inference": 37_000_000, "runtime": 800_000}
        ),
        function_sizes.FunctionSize("manage", 11_000, {"runtime": 800_000}),
    ]

    assert function_sizes.table(sizes) == (
        "| function | code | inference | runtime | together |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| `predict` | 0.01 | 37.0 | 0.8 | **37.8** |\n"
        "| `manage` | 0.01 |  | 0.8 | **0.8** |\n"
    )

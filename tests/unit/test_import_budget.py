"""Cold start is a feature: what predict may import, and what it may not."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import CREDENTIALS, ROOT, SETTINGS

# Each of these costs a cold start more than the whole of Headrace's own code.
TOO_DEAR = {
    "asyncio",
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "boto3",
    "botocore",
    "http.server",
    "jmespath",
    "multiprocessing",
    "onnx",
    "pydantic",
    "requests",
    "unittest",
    "urllib.request",
    "urllib3",
    "xml",
}


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that a fresh process holds once it has imported predict's handler."""
    code = "import functions.predict.handler, json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**CREDENTIALS, **SETTINGS["predict"].to_env(), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_predict_imports_nothing_that_a_prediction_does_not_need(imported: set[str]) -> None:
    assert imported & TOO_DEAR == set()


def test_predict_stays_within_its_budget_of_modules(imported: set[str]) -> None:
    others = {name for name in imported if not name.startswith(("numpy", "onnxruntime"))}

    assert len(others) <= 215

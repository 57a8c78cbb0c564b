"""Cold start is a feature: what predict and authorise may import, and what they may not."""

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
    "email",
    "http.client",
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


# And these more than authorise has a use for.
TOO_DEAR_FOR_AUTHORISE = TOO_DEAR | {
    "dataclasses",
    "inspect",
    "ipaddress",
    "numpy",
    "orjson",
    "platform",
    "random",
    "ssl",  # not before the first call over https
    "urllib.parse",
    "uuid",
}


def imported_by(function: str) -> set[str]:
    """Return the modules that a fresh process holds once it has imported the handler."""
    code = f"import functions.{function}.handler, json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**CREDENTIALS, **SETTINGS[function].to_env(), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """What predict imports."""
    return imported_by("predict")


def test_predict_imports_nothing_that_a_prediction_does_not_need(imported: set[str]) -> None:
    assert imported & TOO_DEAR == set()


def test_authorise_imports_nothing_that_it_does_not_need_to_say_who_calls() -> None:
    assert imported_by("authorise") & TOO_DEAR_FOR_AUTHORISE == set()


def test_predict_stays_within_its_budget_of_modules(imported: set[str]) -> None:
    others = {name for name in imported if not name.startswith(("numpy", "onnxruntime"))}

    assert len(others) <= 215

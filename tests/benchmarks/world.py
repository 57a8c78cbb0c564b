"""What every measurement stands on: the environment of predict's function, and its events."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from headrace_runtime.access.api_key import DRAW_BYTES, NewKey
from headrace_runtime.edge.authoriser import known
from headrace_runtime.settings import AuthoriseSettings, PredictSettings

ROOT = Path(__file__).parent.parent.parent

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
}

SETTINGS = PredictSettings(
    models_bucket="models",
    registry_table="registry",
    alias_ttl_s=5.0,
    models_memory_mb=512,
    threads=1,
    access_table="access",
    policies_ttl_s=5.0,
    auth="keys",
    warm_models="",
    gpu=0,
)
AUTHORISE = AuthoriseSettings(access_table="access", jwt_issuer="", jwt_audience="")

# Whom the measurements are made for.
KEY = NewKey.drawn(bytes(range(DRAW_BYTES)))


@contextmanager
def aws() -> Iterator[dict[str, str]]:
    """Give the environment of predict's function, with AWS behind it while the context lasts."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.aws_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield {
            **CREDENTIALS,
            **SETTINGS.to_env(),
            **AUTHORISE.to_env(),
            "AWS_ENDPOINT_URL": server.stdout.readline().strip(),
            "OPENBLAS_NUM_THREADS": "1",  # as the stack sets it
            "PATH": os.environ.get("PATH", ""),
        }
    finally:
        server.stdin.close()
        server.wait(timeout=10)
        server.stdout.close()


@contextmanager
def printing_to_nobody() -> Iterator[None]:
    """Let nobody read what is printed while the context lasts: who does is the platform's cost."""
    kept, nobody = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nobody, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nobody)


def event(model: str, values: np.ndarray, *, binary: bool) -> dict[str, Any]:
    """Return the event of an infer call as API Gateway makes it; JSON has all float32 digits."""
    described: dict[str, Any] = {"name": "x", "shape": list(values.shape), "datatype": "FP32"}
    if binary:
        described["parameters"] = {"binary_data_size": values.nbytes}
        head = json.dumps(
            {"inputs": [described], "parameters": {"binary_data_output": True}}
        ).encode()
        headers = {"inference-header-content-length": str(len(head))}
        body = base64.b64encode(head + values.tobytes()).decode()
    else:
        described["data"] = [float(str(number)) for number in values.ravel()]
        headers = {"content-type": "application/json"}
        body = json.dumps({"inputs": [described]})
    sample = json.loads((ROOT / "events/predict.infer_json.json").read_text())
    caller = f"key:{KEY.key_id}"
    sample["requestContext"]["authorizer"] = {"lambda": known(caller, [caller])["context"]}
    return sample | {
        "pathParameters": {"model": model},
        "headers": sample["headers"] | headers,
        "body": body,
        "isBase64Encoded": binary,
    }

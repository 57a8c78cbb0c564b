"""What a function's process and its events are told, as Lambda tells it."""

import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from infra.local.function_spec import FunctionSpec


def event_headers(arn: str, request_id: str, timeout_s: int) -> list[tuple[str, str]]:
    """Return the headers with which the Runtime API hands over an event."""
    deadline_ms = int((time.time() + timeout_s) * 1000)
    return [
        ("Lambda-Runtime-Aws-Request-Id", request_id),
        ("Lambda-Runtime-Deadline-Ms", str(deadline_ms)),
        ("Lambda-Runtime-Invoked-Function-Arn", arn),
        (
            "Lambda-Runtime-Trace-Id",
            f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        ),
    ]


def process_environment(
    spec: FunctionSpec, *, aws: Mapping[str, str], runtime_api: str, folder: Path
) -> dict[str, str]:
    """Return the variables of a process: Lambda's, the local cloud's and the function's own.

    Args:
        spec: the function's own.
        aws: variables with which the process reaches the local cloud.
        runtime_api: the address of its Runtime API.
        folder: its own /tmp.
    """
    python_path = os.pathsep.join(map(str, (*spec.layers, *spec.packages)))
    today = time.strftime("%Y/%m/%d", time.gmtime())
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": python_path,
        "PYTHONUNBUFFERED": "1",
        "LAMBDA_TASK_ROOT": str(spec.folder),
        "LAMBDA_RUNTIME_DIR": str(spec.folder),
        "_HANDLER": spec.handler,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{today}/[$LATEST]{uuid.uuid4().hex}",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        **aws,
        **spec.environment,
    }

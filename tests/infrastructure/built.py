"""What Lambda would mount, from the folders that `make layers` built; nothing is fetched here."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.aws import build_layers, own_code
from infra.local.package_folders import link_runtime
from tests.infrastructure.cloud import ROOT, Cloud

# What Lambda does: the function's own folder first, then its layers, then what Python brings.
START = """
import sys
compiled = []
sys.addaudithook(lambda name, told: name == "compile" and compiled.append(str(told[1])))
sys.path[:0] = sys.argv[1].split(":")
import json, handler
class Context:
    function_name = "test"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:test"
    aws_request_id = "request-1"
    get_remaining_time_in_millis = staticmethod(lambda: 60_000)
event = json.load(sys.stdin)
answer = event and handler.lambda_handler(event, Context())
files = {name: getattr(m, "__file__", None) for name, m in list(sys.modules.items())}
print(json.dumps({"answer": answer, "files": files, "compiled": compiled}))
"""


def layer(name: str, *, bytecode: bool) -> Path:
    """The folder of layer *name*; a third-party one must stand already."""
    if name not in build_layers.NAMES:
        return own_code.build(f"layers/{name}", bytecode=bytecode)
    digest = build_layers.digest(name, bytecode=bytecode)
    folder = ROOT / "build" / "layers" / name / digest[:16]
    if not folder.is_dir():
        pytest.fail(f"{folder.relative_to(ROOT)} does not stand: run `make layers` first.")
    return folder


@dataclass(frozen=True, slots=True)
class BuiltFunction:
    """A function as it is deployed, started in an interpreter that sees nothing else."""

    name: str
    folders: tuple[Path, ...]
    lambda_python: Path
    provided: Path

    @classmethod
    def of(cls, name: str, cloud: Cloud, lambda_python: Path, scratch: Path) -> "BuiltFunction":
        """The function *name* with the layers that the template gives it."""
        link_runtime(scratch / "provided")
        layers = [layer(one, bytecode=True) / "python" for one in cloud.layers_of(name)]
        folders = (own_code.build(f"functions/{name}"), *layers)
        return cls(name, folders, lambda_python, scratch / "provided")

    def holds(self, file: str) -> bool:
        """Whether *file* is part of what is deployed."""
        return any(Path(file).is_relative_to(folder) for folder in self.folders)

    def start(self, environment: Mapping[str, str], event: Mapping[str, Any] | None = None) -> Any:
        """Import the handler and, with an *event*, call it; what START prints."""
        path = os.pathsep.join(map(str, (*self.folders, self.provided)))
        # -I and -S: no variable, no working directory and no site-packages add to the path;
        # -B: nothing that is missing is made good.
        answer = subprocess.run(
            [str(self.lambda_python), "-I", "-S", "-B", "-c", START, path],
            cwd="/",
            env={**environment, "OPENBLAS_NUM_THREADS": "1"},
            input=json.dumps(event),
            check=False,
            capture_output=True,
            text=True,
        )
        assert (answer.returncode, answer.stderr) == (0, "")
        return json.loads(answer.stdout.splitlines()[-1])

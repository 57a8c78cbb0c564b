"""A function of ours in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from tests.benchmarks.batch_work import ENVIRONMENT
from tests.benchmarks.world import ROOT
from tests.conftest import SETTINGS


class Function:
    """A function that runs.

    Attributes:
        peak_mb: the most memory that its process had.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.peak_mb = 0.0

    @classmethod
    @contextmanager
    def running(
        cls, name: str, settings: Mapping[str, str | int | float], environment: Mapping[str, str]
    ) -> Iterator[Self]:
        """Give a function, started, while the context lasts.

        Args:
            name: of its folder.
            settings: in place of those that tests have; it takes what it knows.
            environment: besides that of this process.
        """
        known = SETTINGS[name].__dict__
        own = {key: value for key, value in settings.items() if key in known}
        variables = type(SETTINGS[name])(**known | own).to_env()
        named = {"AWS_LAMBDA_FUNCTION_NAME": name, "POWERTOOLS_SERVICE_NAME": name}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.gpu_function_work", name],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, **environment, **variables, **named},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:  # which closes its input, by which it ends
            yield cls(process)

    def call(self, message: str) -> float:
        """Let it have a message; return the CPU seconds of the call.

        Raises:
            RuntimeError: it would have the message again.
        """
        record = json.loads((ROOT / "events/batch.shard.json").read_text())["Records"][0]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"Records": [record | {"body": message}]}) + "\n")
        self._process.stdin.flush()
        answer, cpu_s, self.peak_mb = json.loads(self._process.stdout.readline())
        if answer != {"batchItemFailures": []}:
            raise RuntimeError(f"a function failed: {answer}")
        return float(cpu_s)

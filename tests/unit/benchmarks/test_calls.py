"""What `make bench` measures of calls is answered: each handler, cold and warm, once."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

# In a process of its own, as `make bench` has: a handler is imported once, with its settings.
_MEASURED = """
from tests.benchmarks import authorise, cold, warm
cold._ROUNDS = authorise._ROUNDS = authorise._CALLS = warm._BATCHES = 1
warm._BATCH_S = 0.0
rows = {module}.rows()
print(len(rows))
"""


@pytest.mark.parametrize(("module", "rows"), [("cold", 1), ("warm", 8), ("authorise", 2)])
def test_calls_are_measured(module: str, rows: int):
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURED.format(module=module)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (measured.returncode, measured.stdout.split()[-1:]) == (0, [str(rows)]), measured.stderr

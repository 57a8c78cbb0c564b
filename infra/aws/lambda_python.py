"""The Python that Lambda runs, found on this machine: bytecode is good for one version only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSION = "3.13"
# Names the interpreter to take, whatever else is installed.
CHOSEN = "HEADRACE_PYTHON313"
# What an interpreter must say of itself; bytecode of a preview may differ from the release's.
_WANTED = f"cpython {VERSION} final"
_ASKED = "import sys; v = sys.version_info; print(sys.implementation.name, "
_ASKED += "f'{v.major}.{v.minor}', v.releaselevel)"


class NoLambdaPython(RuntimeError):
    """No interpreter of Lambda's version was found, or the one that was named is not it."""

    def __init__(self, named: str | None = None) -> None:
        found = f"{CHOSEN}={named} is not" if named else "On this machine there is no"
        super().__init__(
            f"{found} CPython {VERSION}, which compiles the bytecode that is deployed; without "
            f"bytecode a cold start takes twice as long. Get one with `.venv/bin/uv python "
            f"install {VERSION}`, or name one in {CHOSEN}. To do without: `make layers "
            f"BYTECODE=no`, `cdk deploy -c headrace:bytecode=false`."
        )


def find() -> Path:
    """Return an interpreter of Lambda's version.

    Looked for, in this order: the one that HEADRACE_PYTHON313 names; the one that runs this;
    `python3.13` on PATH; pyenv's; uv's.

    Raises:
        NoLambdaPython: there is none, or what HEADRACE_PYTHON313 names is something else.
    """
    named = os.environ.get(CHOSEN)
    for python in [Path(named)] if named else _candidates():
        if _is_wanted(python):
            return python
    raise NoLambdaPython(named)


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    on_path = shutil.which(f"python{VERSION}")
    if on_path:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{VERSION}*/bin/python"), reverse=True)
    # uv's own ones alone: it would stop at a broken one on PATH, such as an empty shim.
    command = [sys.executable, "-m", "uv", "python", "find", "--managed-python", VERSION]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode == 0:
        yield Path(answer.stdout.strip())


def _is_wanted(python: Path) -> bool:
    command = [str(python), "-I", "-S", "-c", _ASKED]
    try:
        answer = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == _WANTED

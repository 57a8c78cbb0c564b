"""Our own code as it is deployed: the sources exactly as they lie, and bytecode beside them.

No module is changed, left out or added; `build/<folder>/<digest>` is a copy, because the
sources' folder is no place for another Python's bytecode.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from infra.aws import lambda_python
from infra.aws.built_folder import build_once
from infra.aws.bytecode import add_bytecode

ROOT = Path(__file__).resolve().parents[2]
# The entry of a resource's Metadata that names its folder, from the root of the repository.
SOURCE = "headrace:source"
# What lies beside the sources without being one; neither deployed nor part of a digest.
NOT_SOURCES = ("__pycache__", "*.pyc", ".DS_Store")
# Change it with what is done below: code that is built otherwise is other code.
RECIPE = "1"


def build(folder: str, *, bytecode: bool = True, into: Path = ROOT / "build") -> Path:
    """Return what is deployed of *folder*, as `functions/predict` or `layers/runtime`.

    It is built below *into* if it does not stand there yet.

    Raises:
        NoLambdaPython: bytecode is wanted and there is nobody to compile it.
    """

    def fill(draft: Path) -> None:
        ignored = shutil.ignore_patterns(*NOT_SOURCES)
        shutil.copytree(ROOT / folder, draft, ignore=ignored, dirs_exist_ok=True)
        if bytecode:
            add_bytecode(draft, mounted_at=mount(folder), python=lambda_python.find())

    return build_once(into / folder / digest(folder, bytecode=bytecode)[:16], fill)


def digest(folder: str, *, bytecode: bool = True) -> str:
    """Return what is deployed of *folder*, as a SHA-256: its sources, and how they are built."""
    made_of = hashlib.sha256(repr((RECIPE, lambda_python.VERSION, bytecode)).encode())
    for path in _sources(ROOT / folder):
        content = path.read_bytes()
        made_of.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return made_of.hexdigest()


def mount(folder: str) -> str:
    """Return where Lambda mounts *folder*: a function's code in one place, layers in another."""
    return "/opt" if folder.startswith("layers/") else "/var/task"


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = [path, *(p for p in path.parents if p.is_relative_to(folder))]
        if path.is_file() and not any(p.match(name) for p in inside for name in NOT_SOURCES):
            yield path

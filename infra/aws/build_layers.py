"""Third-party Lambda layers, built from pinned wheels without Docker: `make layers`.

`build/layers/<name>/<digest>/python` is the layer as Lambda mounts it under /opt; the digest says
what it was made of, so that one that stands is never built again.
"""

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.aws.layer_trim import KEPT_FACTS, NEEDLESS, trim

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("essentials", "inference", "onnx")
PYTHON = "3.13"
# Lambda's Python 3.13 runs on Amazon Linux 2023, glibc 2.34; wheels carry older tags than that.
GLIBC_TAGS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Change it with what is done below: a layer that is built otherwise is another layer.
RECIPE = "1"
# The first moment that a zip file can hold.
LONG_AGO = 315_532_800


def build(name: str, architecture: str = "x86_64") -> Path:
    """Return the folder of layer *name*, built if it does not stand yet.

    Raises:
        subprocess.CalledProcessError: pip could not get a pinned wheel; nothing stands that was
            not there before.
    """
    folder = ROOT / "build" / "layers" / name / digest(name, architecture)[:16]
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".draft-") as scratch:
        draft = Path(scratch) / "layer"
        _install(name, architecture, draft / "python")
        trim(draft / "python")
        for path in [*draft.rglob("*"), draft]:
            os.utime(path, (LONG_AGO, LONG_AGO))
        # Somebody else may have built the same meanwhile.
        with contextlib.suppress(OSError):
            draft.rename(folder)
    return folder


def digest(name: str, architecture: str = "x86_64") -> str:
    """Return what layer *name* is made of, as a SHA-256: its pins, the platform, the recipe."""
    made_of = (RECIPE, PYTHON, architecture, NEEDLESS, KEPT_FACTS, _requirements(name).read_text())
    return hashlib.sha256(repr(made_of).encode()).hexdigest()


def _requirements(name: str) -> Path:
    return ROOT / "layers" / name / "requirements.txt"


def _install(name: str, architecture: str, target: Path) -> None:
    platforms = [f"--platform={tag}_{ARCHITECTURES[architecture]}" for tag in GLIBC_TAGS]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp"]
    # The pins were resolved for that Python; pip would hold them against the one it runs on.
    command += [f"--python-version={PYTHON}", "--ignore-requires-python", *platforms]
    command += [f"--target={target}", f"--requirement={_requirements(name)}"]
    subprocess.run(command, check=True)


def main() -> None:
    """Build every layer for the architecture that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m infra.aws.build_layers", description=__doc__)
    parser.add_argument("architecture", nargs="?", default="x86_64", choices=ARCHITECTURES)
    architecture = parser.parse_args().architecture
    for name in NAMES:
        folder = build(name, architecture)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        sys.stdout.write(f"{name}  {size / 1e6:.1f} MB  {folder.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()

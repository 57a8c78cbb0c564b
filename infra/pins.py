"""`make pins`: pyproject.toml resolved into files of exact versions with hashes.

`requirements/dev.txt` is what this repository is worked on and tested with, on every Python from
3.11; `requirements/long.txt` the same with what the long tests need besides, and
`requirements/bench.txt` only what measurements need besides. A layer's requirements.txt holds
exactly what its group in pyproject.toml names, in the versions that `dev.txt` has for Lambda's
Python, with hashes of the wheels for both architectures.

A version that is pinned stays as long as pyproject.toml allows it; `--upgrade` takes the newest.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAMBDA_PYTHON = "3.13"
OLDEST_PYTHON = "3.11"
LAYERS = ("essentials", "files", "inference", "onnx", "parquet", "tokens")


def main() -> None:
    """Write every file of pins anew."""
    parser = argparse.ArgumentParser(prog="python -m infra.pins", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    everywhere = ["--universal", f"--python-version={OLDEST_PYTHON}", *upgrade]
    ours = ["pyproject.toml", "--all-extras", *everywhere]
    as_dev = "--constraint=requirements/dev.txt"
    _compile("requirements/dev.txt", *ours, "--group=dev")
    _compile("requirements/long.txt", *ours, "--group=dev", "--group=long")
    _compile("requirements/bench.txt", *everywhere, as_dev, "--group=bench")
    for layer in LAYERS:
        _compile(
            f"layers/{layer}/requirements.txt",
            f"--group=layer-{layer}",
            "--no-deps",
            as_dev,
            f"--python-version={LAMBDA_PYTHON}",
            "--python-platform=x86_64-manylinux_2_28",
        )


def _compile(file: str, *wanted: str) -> None:
    sys.stdout.write(f"{file}\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header"]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
    subprocess.run([*command, f"--output-file={file}", *wanted], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()

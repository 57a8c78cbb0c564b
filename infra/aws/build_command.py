"""`make layers`: everything that Lambda mounts, built into build/ without Docker.

`build/layers/<name>/<digest>` and `build/functions/<name>/<digest>` are what is deployed;
`build/layers/<name>.cdx.json` says what a third-party layer is made of (CycloneDX 1.6).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.aws import build_layers, lambda_python
from infra.aws.built_folder import content_digest
from infra.aws.function_sizes import LIMIT_BYTES, function_sizes, table

ARM64 = """Caution: ONNX Runtime has been known to crash at import on arm64 Lambda, where
/sys/devices/system/cpu/possible is missing. These layers were run on no arm64 machine: call one
model on a stage of your own before anybody depends on it. x86_64 is the default for that reason.
"""


def main() -> None:
    """Build what the command line asks for, and tell how large each function is.

    Raises:
        SystemExit: no interpreter for the bytecode, or a function is larger than Lambda takes.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.aws.build_command", description=__doc__)
    parser.add_argument("architecture", nargs="?", choices=build_layers.ARCHITECTURES)
    parser.add_argument("--bytecode", choices=("yes", "no", "if-possible"), default="yes")
    parser.add_argument("--layers-only", action="store_true", help="no function, no sizes")
    asked = parser.parse_args()
    architecture = asked.architecture or "x86_64"
    bytecode = _bytecode(asked.bytecode)
    _layers(architecture, bytecode=bytecode)
    if not asked.layers_only:
        _functions(architecture, bytecode=bytecode)
    if architecture == "arm64":
        sys.stderr.write(ARM64)


def _bytecode(wish: str) -> bool:
    if wish == "no":
        return False
    try:
        lambda_python.find()
    except lambda_python.NoLambdaPython as missing:
        if wish == "yes":
            raise SystemExit(str(missing)) from None
        sys.stderr.write(f"WARNING: layers without bytecode. {missing}\n")
        return False
    return True


def _layers(architecture: str, *, bytecode: bool) -> None:
    for name in build_layers.NAMES:
        folder = build_layers.build(name, architecture, bytecode=bytecode)
        bill = f"{name}.cdx.json"
        shutil.copyfile(folder / "sbom" / bill, build_layers.ROOT / "build" / "layers" / bill)
        where = folder.relative_to(build_layers.ROOT)
        sys.stdout.write(f"{where}  sha256 {content_digest(folder)}\n")


def _functions(architecture: str, *, bytecode: bool) -> None:
    with tempfile.TemporaryDirectory() as assembly:
        synth = [sys.executable, "-m", "infra.aws", "--no-bundling", "--outdir", assembly]
        # A stage with GPUs: it has every function that there is.
        stage = os.environ | {"STAGE": "local"}
        subprocess.run(synth, cwd=build_layers.ROOT, env=stage, check=True)
        sizes = function_sizes(Path(assembly), architecture, bytecode=bytecode)
    sys.stdout.write(f"\n{table(sizes)}")
    for size in sizes:
        if size.total_bytes > LIMIT_BYTES:
            taken = f"{size.total_bytes:,} bytes, Lambda takes {LIMIT_BYTES:,}"
            raise SystemExit(f"{size.function} is too large: {taken}, its layers included.")


if __name__ == "__main__":
    main()

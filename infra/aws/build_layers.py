"""Third-party Lambda layers, built from pinned wheels without Docker: `make layers`.

`build/layers/<name>/<digest>` is the layer as Lambda mounts it under /opt: packages with their
bytecode in `python/`, and in `sbom/` what they are. The digest says what it was made of, so that
one that stands is never built again. `build/wheels` keeps what came from the package index: only
new pins ask it again.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.aws import lambda_python
from infra.aws.bill_of_materials import bill_of_materials, packages, wheels_of
from infra.aws.built_folder import build_once
from infra.aws.bytecode import add_bytecode
from infra.aws.layer_trim import KEPT_FACTS, NEEDLESS, trim

ROOT = Path(__file__).resolve().parents[2]
NAMES = tuple(sorted(file.parent.name for file in ROOT.glob("layers/*/requirements.txt")))
# Lambda's Python 3.13 runs on Amazon Linux 2023, glibc 2.34; wheels carry older tags than that.
GLIBC_TAGS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Change it with what is done below: a layer that is built otherwise is another layer.
RECIPE = "2"


def build(
    name: str,
    architecture: str = "x86_64",
    *,
    bytecode: bool = True,
    into: Path = ROOT / "build" / "layers",
) -> Path:
    """Return the folder of layer *name*, built below *into* if it does not stand there yet.

    Raises:
        NoLambdaPython: bytecode is wanted and there is nobody to compile it.
        subprocess.CalledProcessError: pip could not get a pinned wheel; nothing stands that was
            not there before.
    """

    def fill(draft: Path) -> None:
        # Asked first: nobody should wait for a download to hear that it was in vain.
        python = lambda_python.find() if bytecode else None
        target = draft / "python"
        fetched = _install(name, architecture, target)
        trim(target)
        if python is not None:
            add_bytecode(draft, mounted_at="/opt", python=python)
        (draft / "sbom").mkdir()
        held = packages(target, fetched)
        (draft / "sbom" / f"{name}.cdx.json").write_text(bill_of_materials(name, held))

    return build_once(into / name / digest(name, architecture, bytecode=bytecode)[:16], fill)


def digest(name: str, architecture: str = "x86_64", *, bytecode: bool = True) -> str:
    """Return what layer *name* is made of, as a SHA-256: its pins, the platform, the recipe."""
    recipe = (RECIPE, lambda_python.VERSION, architecture, bytecode, NEEDLESS, KEPT_FACTS)
    return hashlib.sha256(repr((recipe, _requirements(name).read_text())).encode()).hexdigest()


def _requirements(name: str) -> Path:
    return ROOT / "layers" / name / "requirements.txt"


def wheels(name: str, architecture: str = "x86_64") -> Path:
    """Return the folder that holds the pinned wheels of layer *name*, fetched if it does not stand.

    Raises:
        subprocess.CalledProcessError: pip could not get one, or it is not the one that was pinned.
    """
    made_of = hashlib.sha256(f"{architecture}\n{_requirements(name).read_text()}".encode())
    folder = ROOT / "build" / "wheels" / name / made_of.hexdigest()[:16]
    return build_once(folder, lambda draft: _pip("download", name, architecture, f"--dest={draft}"))


def _install(name: str, architecture: str, target: Path) -> dict[str, str]:
    """Unpack the pinned wheels into *target*; return the SHA-256 of each, by package."""
    source = ["--no-index", f"--find-links={wheels(name, architecture)}"]
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        # The pins were resolved for that Python; pip would hold them against the one it runs on.
        options = ["--no-compile", "--ignore-requires-python", f"--report={report}"]
        _pip("install", name, architecture, f"--target={target}", *source, *options)
        return wheels_of(json.loads(report.read_text()))


def _pip(task: str, name: str, architecture: str, *options: str) -> None:
    platforms = [f"--platform={tag}_{ARCHITECTURES[architecture]}" for tag in GLIBC_TAGS]
    command = [sys.executable, "-m", "pip", task, "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", "--implementation=cp", *platforms, *options]
    command += [f"--python-version={lambda_python.VERSION}", "-r", str(_requirements(name))]
    subprocess.run(command, check=True)

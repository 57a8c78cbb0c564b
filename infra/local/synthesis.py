"""The synthesised templates, made anew only when what they come from has changed."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.local.child_processes import ChildProcesses

ROOT = Path(__file__).resolve().parents[2]

# What decides the template: the app, its context, what it reads of ours, and what is pinned.
_SOURCES = (
    "infra/aws/**/*.py",
    "infra/aws/*.json",
    "cdk.json",
    "layers/runtime/python/headrace_runtime/settings.py",
    "layers/runtime/python/headrace_runtime/work_settings.py",
    "layers/*/requirements.txt",
)
# The CDK app's stage for one machine.
_STAGE = "local"
# The stage whose values are for this machine.
_STAGE = "local"
_KEPT = ("manifest.json", "*.template.json", "*.assets.json")


class SynthesisFailed(Exception):
    """The CDK app failed; the argument is what it printed."""


def synthesised(cache: Path, children: ChildProcesses) -> Path:
    """Return the folder of an up-to-date assembly: manifest, templates and asset manifests.

    Args:
        cache: where assemblies are kept.
        children: starts the CDK app.

    Raises:
        SynthesisFailed: nothing was put into the cache.
    """
    folder = cache / "synth" / _digest()
    if not (folder / "manifest.json").exists():
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
        try:
            _synthesise(fresh, children)
            _keep(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _digest() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def _sources() -> Iterator[Path]:
    for pattern in _SOURCES:
        yield from sorted(ROOT.glob(pattern))


def _synthesise(folder: Path, children: ChildProcesses) -> None:
    command = [sys.executable, "-m", "infra.aws", "--no-bundling", "--outdir", str(folder)]
    environment = os.environ | {"STAGE": _STAGE}
    process = children.start(command, env=environment, cwd=ROOT, output=subprocess.PIPE)
    try:
        printed = process.communicate()[0].decode("utf-8", "replace")
    finally:
        children.kill(process)
    if process.returncode:
        raise SynthesisFailed(printed)


def _keep(fresh: Path, folder: Path) -> None:
    kept = folder.with_name(f"{fresh.name}.kept")
    kept.mkdir(parents=True)
    for pattern in _KEPT:
        for path in fresh.glob(pattern):
            shutil.copyfile(path, kept / path.name)
    try:
        kept.rename(folder)
    except OSError:  # another start was quicker
        shutil.rmtree(kept, ignore_errors=True)

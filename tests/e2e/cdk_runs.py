"""The CDK's command line, run on copies of this repository's sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra import cdk_cli
from tests.e2e.conftest import ROOT


def sources_in(folder: Path) -> Path:
    """Copy to a folder what a template comes from; return the folder."""
    for name in ("functions", "layers", "infra"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("cdk.json", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def synthesised(sources: Path, stage: str) -> Path:
    """Synthesise copied sources; return the assembly's folder."""
    imported = os.pathsep.join([str(sources), str(sources / "layers" / "runtime" / "python")])
    subprocess.run(
        [sys.executable, "-m", "infra.aws", "--no-bundling", "--outdir", "cdk.out"],
        cwd=sources,
        env={**os.environ, "PYTHONPATH": imported, "STAGE": stage},
        check=True,
        capture_output=True,
    )
    return sources / "cdk.out"


def cdk(aws: dict[str, str], home: Path, *arguments: str) -> None:
    """Run the CDK's command line; fail with what it says if it does."""
    variables = {
        **aws,
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_VERSION_CHECK": "1",  # which asks npm's registry
    }
    done = subprocess.run(
        cdk_cli.command(arguments),
        env=cdk_cli.environment(variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

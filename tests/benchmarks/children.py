"""Measurements in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from tests.benchmarks.world import ROOT

# Peers that are no part of this house's own environment: `make bench` installs them here.
PEERS = ROOT / ".cache/peers"


def printed(module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> Any:
    """Return what a module of the measurements prints when it is run, read as JSON."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=True,
        stdout=subprocess.PIPE,
    )
    return json.loads(done.stdout)

"""The key with which the one at this machine calls: made as on AWS, by `infra.first_key`."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Mapping

from infra.local.child_processes import ChildProcesses
from infra.local.synthesis import ROOT

_MODULE = "infra.first_key"
_KEY = re.compile(r"\bhr_[a-z0-9]+_[A-Za-z0-9_-]+")


class FirstKeyFailed(Exception):
    """No key was made; the argument is what was printed instead."""


class FirstKey:
    """A key in the making: a process that goes on while the rest of the cloud starts.

    Args:
        table: where keys are kept.
        aws: variables with which the process reaches the cloud.
        children: starts it.
    """

    def __init__(self, table: str, *, aws: Mapping[str, str], children: ChildProcesses) -> None:
        self._children = children
        self._process = children.start(
            [sys.executable, "-m", _MODULE, "--table", table],
            env=aws,
            cwd=ROOT,
            output=subprocess.PIPE,
        )

    @staticmethod
    def is_made_here() -> bool:
        """Tell whether this repository makes keys."""
        return importlib.util.find_spec(_MODULE) is not None

    def text(self) -> str:
        """Wait for it, and return the key.

        Raises:
            FirstKeyFailed: there is none.
        """
        printed = self._process.communicate()[0].decode("utf-8", "replace")
        self._children.kill(self._process)
        found = _KEY.search(printed)
        if self._process.returncode or found is None:
            raise FirstKeyFailed(printed)
        return found.group()

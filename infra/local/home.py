"""Where a local cloud keeps what it needs while it runs."""

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """A folder of one cloud; another cloud needs another."""

    folder: Path

    @property
    def env(self) -> Path:
        """`export` lines with which others find the cloud; there while it runs."""
        return self.folder / "env"

    @property
    def logs(self) -> Path:
        """What functions and moto print, one file each."""
        return self.folder / "logs"

    @property
    def scratch(self) -> Path:
        """The functions' /tmp folders."""
        return self.folder / "tmp"

    def prepare(self) -> None:
        """Make the folders, without what an earlier cloud left."""
        self.env.unlink(missing_ok=True)
        shutil.rmtree(self.scratch, ignore_errors=True)
        for folder in (self.logs, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)

    def write_env(self, variables: Mapping[str, str]) -> None:
        """Write the `export` lines, all at once."""
        fresh = self.env.with_suffix(f".{os.getpid()}")
        fresh.write_text(export_lines(variables))
        fresh.replace(self.env)


def export_lines(variables: Mapping[str, str]) -> str:
    """Return the lines that a shell sources."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())

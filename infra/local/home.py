"""Where a local cloud keeps what it needs while it runs."""

import fcntl
import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO


class HomeInUse(Exception):
    """Another cloud runs in this folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"A local cloud already runs in {folder}. Choose another HEADRACE_HOME.")


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
        """What moto and the functions print, one file each: `predict.log`."""
        return self.folder / "logs"

    @property
    def scratch(self) -> Path:
        """The functions' /tmp folders."""
        return self.folder / "tmp"

    @property
    def packages(self) -> Path:
        """Links to the third-party packages of layers."""
        return self.folder / "packages"

    def take(self) -> IO[bytes]:
        """Make the folders, without what an earlier cloud left; keep what is returned open.

        Raises:
            HomeInUse: another cloud runs there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise HomeInUse(self.folder) from error
        self.env.unlink(missing_ok=True)
        for folder in (self.scratch, self.packages, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.logs, self.scratch, self.packages):
            folder.mkdir(parents=True, exist_ok=True)
        return lock

    def write_env(self, variables: Mapping[str, str]) -> None:
        """Write the `export` lines, all at once."""
        fresh = self.env.with_suffix(f".{os.getpid()}")
        fresh.write_text(export_lines(variables))
        fresh.replace(self.env)


def export_lines(variables: Mapping[str, str]) -> str:
    """Return the lines that a shell sources."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())

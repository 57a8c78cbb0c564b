"""Bytecode beside the sources that are deployed.

Lambda mounts /opt and /var/task read-only, so Python there can never keep what it compiled: without
bytecode every cold start compiles every module again.
"""

import subprocess
from pathlib import Path


def add_bytecode(folder: Path, *, mounted_at: str, python: Path) -> None:
    """Write a `__pycache__` beside every module below *folder*.

    Python will use it without a look at the source's date, which a zip file does not keep. The
    same sources give the same bytes in whatever folder they lie.

    Args:
        folder: what Lambda mounts at *mounted_at*, as `/opt`; tracebacks name modules by it.
        mounted_at: an absolute path, without a slash at its end.
        python: the interpreter whose bytecode is wanted.

    Raises:
        subprocess.CalledProcessError: a module does not compile.
    """
    command = [str(python), "-I", "-m", "compileall", "-q", "--invalidation-mode=unchecked-hash"]
    command += ["-s", str(folder), "-p", mounted_at, str(folder)]
    subprocess.run(command, check=True)

"""A Python process that gets nothing of ours: no environment, no open file, no folder of the user.

What starts one calls `command` and `environment`; what runs in it calls `die_with_parent` and
`own_pipe` first of all.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

# The first arguments name the module and say how many of the others are its own; the rest are the
# folders to import from: `-I` keeps Python from reading them in the environment.
_BOOT = (
    "import sys, runpy; module, own = sys.argv[1], int(sys.argv[2]) + 3; "
    "sys.path[:0] = sys.argv[own:]; sys.argv[1:] = sys.argv[3:own]; "
    "runpy.run_module(module, run_name='__main__')"
)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def command(module: str, *arguments: str) -> list[str]:
    """Return what runs *module* as `__main__`, *arguments* in `sys.argv[1:]`, our number behind."""
    folders = [folder for folder in sys.path if Path(folder).is_absolute()]
    own = [*arguments, str(os.getpid())]
    return [sys.executable, "-I", "-c", _BOOT, module, str(len(own)), *own, *folders]


def environment() -> dict[str, str]:
    """Nothing secret; Lambda's Python needs the library path, numpy must start no threads."""
    kept = {n: os.environ[n] for n in ("PATH", "LD_LIBRARY_PATH") if n in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends, however it ends.

    Takes the parent's number off `sys.argv`.
    """
    parent = int(sys.argv.pop())
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was told
        os._exit(0)


def own_pipe() -> int:
    """Keep file 1 for answers only: whatever prints to it from now on is not heard."""
    pipe = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.close(silence)
    return pipe

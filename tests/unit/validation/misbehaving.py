"""What a limited child may try: run as a child's module by `test_limited_process.py`."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from headrace_runtime.errors import ModelRefused
from headrace_runtime.validation.child import answer


def _refuse(report):
    raise ModelRefused("A_RULE", "a reason: some advice")


def _print(report):
    print('{"answer": {"forged": true}}', flush=True)  # noqa: T201 - that is the trick
    os.write(1, b'{"answer": {"forged": true}}\n')
    return {"said": "this"}


def _see(report):
    return {
        "environment": sorted(os.environ),
        "folder": str(Path.cwd()),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "session": os.getsid(0) == os.getpid(),
    }


def _write_file(report):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        Path("/tmp/headrace-never-written").write_bytes(b"x")
    except OSError as error:
        return {"error": error.strerror}
    return {"error": ""}


def _allocate(report):
    return {"size": len(bytearray(4 << 30))}


def _burn(report):
    report("loaded")
    while True:
        pass


def _sleep(report):
    time.sleep(60)


def _crash(report):
    ctypes.string_at(0)


def _break(report):
    raise KeyError("a bug of ours")


def _leave_someone_behind(report):
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    return {"pid": started.pid}


def _open_many(report):
    kept = []
    try:
        while len(kept) < 100:
            kept.append(socket.socket())
    except OSError as error:
        return {"opened": len(kept), "error": error.strerror}
    return {"opened": len(kept)}


WAYS = {
    "refuse": _refuse,
    "print": _print,
    "see": _see,
    "write a file": _write_file,
    "allocate": _allocate,
    "burn": _burn,
    "sleep": _sleep,
    "crash": _crash,
    "break": _break,
    "leave someone behind": _leave_someone_behind,
    "open many": _open_many,
}

if __name__ == "__main__":
    answer(lambda work, report: WAYS[work["way"]](report))

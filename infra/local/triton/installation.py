"""The unpacked wheel of Triton, and whether what is in it runs on this machine."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.triton import loopback_only

FOLDER = Path(__file__).resolve().parents[3] / ".cache" / "triton"
READY = FOLDER / "ready"
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Installation:
    """Where things are."""

    version: str = "0.7.0"

    @property
    def folder(self) -> Path:
        """What was unpacked."""
        return FOLDER / self.version

    @property
    def server(self) -> Path:
        """The program."""
        return self._triton / "bin" / "tritonserver"

    @property
    def stub(self) -> Path:
        """What runs a backend in Python, for the Python that runs this."""
        minor = f"{sys.version_info.major}.{sys.version_info.minor}"
        return self._triton / "python_backend_stubs" / minor / "triton_python_backend_stub"

    @property
    def _triton(self) -> Path:
        return self.folder / "pytriton" / "tritonserver"

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with which it finds its libraries and this very Python."""
        libraries = [
            str(sysconfig.get_config_var("LIBDIR")),
            str(self.folder / "nvidia_pytriton.libs"),
        ]
        # The first `python` of the path tells the backend's Python where its packages are.
        path = [str(Path(sys.prefix) / "bin"), outer.get("PATH", os.defpath)]
        return {"LD_LIBRARY_PATH": ":".join(libraries), "PATH": ":".join(path)}

    def copy_backends(self, folder: Path) -> None:
        """Make the folder of backends: Triton's for Python, ours for ONNX; it takes no links."""
        python = shutil.copytree(self._triton / "backends" / "python", folder / "python")
        shutil.copy(self.stub, python)
        onnxruntime = folder / "onnxruntime"
        onnxruntime.mkdir()
        for file in (_HERE / "backend" / "model.py", _HERE / "onnx_model.py"):
            shutil.copy(file, onnxruntime)

    def why_not(self) -> str:
        """Return why it does not run here, or nothing; it starts the program to see."""
        if not self.server.exists():
            return "it is not unpacked: `make triton` does it."
        if not self.stub.exists():
            return (
                f"it runs no backend in Python {sys.version_info.major}.{sys.version_info.minor}."
            )
        for program in ([str(self.server), "--help"], [str(self.stub)]):
            with tempfile.TemporaryDirectory() as folder:
                ran = subprocess.run(
                    [*loopback_only.command(Path(folder, "ports")), *program],
                    env=self.environment(os.environ),
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            if ran.returncode in {loopback_only.REFUSED, 127} or ran.returncode > 128:
                said = (ran.stderr or ran.stdout).strip().rpartition("\n")[2]
                return said or f"{program[0]} ended with status {ran.returncode}."
        return ""

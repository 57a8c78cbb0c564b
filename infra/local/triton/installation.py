"""The unpacked wheel of Triton, and whether what it holds runs on this machine."""

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

VERSION = "0.7.0"  # of the wheel; the server in it is 2.51.0, of October 2024
ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "triton"
_BACKEND = (Path(__file__).parent / "backend" / "model.py", Path(__file__).parent / "onnx_model.py")
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_LIBRARY = Path(sysconfig.get_config_var("LIBDIR"), f"libpython{_PYTHON}.so.1.0")


@dataclass(frozen=True, slots=True)
class Installation:
    """Where things are below a folder."""

    cache: Path = CACHE

    @property
    def ready(self) -> Path:
        """There once all else is there and was seen to run."""
        return self.cache / "ready"

    @property
    def folder(self) -> Path:
        """What was unpacked."""
        return self.cache / VERSION

    @property
    def server(self) -> Path:
        """The program."""
        return self._triton / "bin" / "tritonserver"

    @property
    def stub(self) -> Path:
        """What runs a backend in the Python that runs this."""
        return self._triton / "python_backend_stubs" / _PYTHON / "triton_python_backend_stub"

    @property
    def _triton(self) -> Path:
        return self.folder / "pytriton" / "tritonserver"

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with which it finds its libraries, this Python and its packages."""
        libraries = (str(_LIBRARY.parent), f"{self.folder}/nvidia_pytriton.libs")
        # Python embedded knows no virtual environment but that of the first `python` in the path.
        path = (f"{sys.prefix}/bin", outer.get("PATH", os.defpath))
        return {"LD_LIBRARY_PATH": ":".join(libraries), "PATH": ":".join(path)}

    def copy_backends(self, folder: Path) -> None:
        """Make the folder of backends, Triton's for Python and ours for ONNX; it takes no links."""
        python = shutil.copytree(self._triton / "backends" / "python", folder / "python")
        shutil.copy(self.stub, python)
        onnxruntime = folder / "onnxruntime"
        onnxruntime.mkdir()
        for file in _BACKEND:
            shutil.copy(file, onnxruntime)

    def why_not(self) -> str:
        """Return why it does not run here, or nothing; it starts the programs to see."""
        if not self.server.exists():
            return "it is not unpacked: `make triton` does it."
        if not self.stub.exists():
            return f"it has nothing for Python {_PYTHON}."
        if not (_LIBRARY.exists() or sys.base_prefix == "/usr"):
            # Another build's would be found in its place: its Python dies in the first import.
            return f"this Python was built without {_LIBRARY.name}."
        return self._why_not([str(self.server), "--help"]) or self._why_not([str(self.stub)])

    def _why_not(self, program: list[str]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            ran = subprocess.run(
                [*loopback_only.command(Path(folder, "ports")), *program],
                env=self.environment(os.environ),
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        # 127: a library is missing; more: a signal.
        if ran.returncode < loopback_only.REFUSED:
            return ""
        said = (ran.stderr or ran.stdout).strip().rpartition("\n")[2]
        return said or f"{Path(program[0]).name} ends with status {ran.returncode}."

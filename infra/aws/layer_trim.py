"""What wheels carry and a running function never touches."""

import shutil
from pathlib import Path

# From the layer's `python` folder. Measured in megabytes; each is checked by running a model
# from the folder that is left.
NEEDLESS = (
    "bin",
    "onnxruntime/capi/libonnxruntime.so*",  # 35: the binding beside it holds all of it, too
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "onnxruntime/backend",
    "numpy/f2py",
    "numpy/_core/include",
    "numpy/_core/lib",
    "onnx/backend",
    "simdjson/simdjson.*",  # 8: the sources that the binding beside them was made of
    "simdjson/util.*",
    "simdjson/csimdjson.*",
    "**/tests",
    "**/*.pyi",
    "**/*.a",
    "**/__pycache__",
)
# Of a distribution's facts, those that `importlib.metadata` and a licence need.
KEPT_FACTS = ("METADATA", "licenses", "LICENSE*", "NOTICE*")


def trim(folder: Path) -> None:
    """Remove from *folder* what no function needs."""
    for pattern in NEEDLESS:
        for path in list(folder.glob(pattern)):
            _remove(path)
    for facts in folder.glob("*.dist-info"):
        kept = {path for pattern in KEPT_FACTS for path in facts.glob(pattern)}
        for path in set(facts.iterdir()) - kept:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

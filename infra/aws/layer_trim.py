"""What wheels carry and a running function never touches."""

import shutil
from pathlib import Path

# From the layer's `python` folder. Measured in megabytes; each is checked by running a model, or
# reading and writing Parquet, from the folder that is left.
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
    # What is left of Arrow's libraries is linked to by those that read Parquet.
    "pyarrow/libarrow_flight.so*",  # 32
    "pyarrow/libarrow_s3.so*",  # 17
    "pyarrow/libarrow_python.so",  # 2, as the next: copies for compilers of the one with a number
    "pyarrow/libarrow_python.so.*.*",
    "pyarrow/libarrow_python_*.so*",
    "pyarrow/_acero.*",
    "pyarrow/_azurefs.*",
    "pyarrow/_csv.*",
    "pyarrow/_dataset*",
    "pyarrow/_feather.*",
    "pyarrow/_flight.*",
    "pyarrow/_gcsfs.*",
    "pyarrow/_hdfs.*",
    "pyarrow/_json.*",
    "pyarrow/_orc.*",
    "pyarrow/_parquet_encryption.*",
    "pyarrow/_pyarrow_cpp_tests.*",
    "pyarrow/_s3fs.*",
    "pyarrow/_substrait.*",
    "pyarrow/include",
    "pyarrow/includes",
    "pyarrow/src",
    "pyarrow/**/*.px[di]",  # 4, with the next: the sources that the bindings were made of
    "pyarrow/**/*.pyx",
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

"""`python -m tests.benchmarks`: what Headrace costs over the floor and beside peers, as Markdown.

Time is CPU time, user and system, so that neighbours on the machine count as little as may be.
"""

import os
import platform
import sys

import numpy as np
import onnxruntime

from tests.benchmarks import (
    authorise,
    cold,
    costs,
    gpu,
    large_files,
    terabyte,
    terabyte_rates,
    warm,
)
from tests.benchmarks.report import markdown

# What costs are told of, with the bytes of its request: four a float.
COSTED = {
    "warm: infer 784 floats, binary": 784 * 4,
    "warm: infer 3x224x224 floats, binary": 3 * 224 * 224 * 4,
}


def main() -> None:
    """Measure everything, and print each table once it is known."""
    sys.stdout.write(
        f"Python {platform.python_version()}, numpy {np.__version__}, "
        f"ONNX Runtime {onnxruntime.__version__}, {os.cpu_count()} CPUs; CPU time, the least\n\n"
    )
    small = cold.rows() + authorise.rows() + warm.rows()
    _print(markdown(small), costs.markdown(small, COSTED))
    files = large_files.measured()
    _print(markdown(files.rows()), files.peers())
    _print(terabyte.markdown(*terabyte_rates.measured(files)))
    _print(gpu.table())


def _print(*tables: str) -> None:
    sys.stdout.write("".join(f"{table}\n\n" for table in tables))
    sys.stdout.flush()  # the next one takes minutes


if __name__ == "__main__":
    main()

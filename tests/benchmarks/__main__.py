"""`python -m tests.benchmarks`: what Headrace costs over the floor and beside peers, as Markdown.

Time is CPU time, user and system, so that neighbours on the machine count as little as may be.
"""

import os
import platform
import sys

import numpy as np
import onnxruntime

from tests.benchmarks import authorise, cold, costs, large_files, terabyte, terabyte_rates, warm
from tests.benchmarks.report import markdown

# What costs are told of, with the bytes of its request: four a float.
COSTED = {
    "warm: infer 784 floats, binary": 784 * 4,
    "warm: infer 3x224x224 floats, binary": 3 * 224 * 224 * 4,
}


def main() -> None:
    """Measure everything and print it."""
    sys.stdout.write(
        f"Python {platform.python_version()}, numpy {np.__version__}, "
        f"ONNX Runtime {onnxruntime.__version__}, {os.cpu_count()} CPUs; CPU time, the least\n\n"
    )
    small = cold.rows() + authorise.rows() + warm.rows()
    files = large_files.measured()
    measured = small + files.rows()
    rates, cut = terabyte_rates.measured(files)
    tables = [
        markdown(measured),
        files.peers(),
        costs.markdown(measured, COSTED),
        terabyte.markdown(rates, cut),
    ]
    sys.stdout.write("\n\n".join(tables) + "\n")


if __name__ == "__main__":
    main()

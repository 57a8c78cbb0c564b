"""numpy: NPY mapped into memory, the predictions as an array."""

from pathlib import Path

import numpy as np


def _npy(source: Path, target: Path, predict) -> int:
    x = np.load(source, mmap_mode="r")
    with target.open("wb") as out:
        np.save(out, predict(x))
    return len(x)


WORK = {"npy": _npy}

"""What `headrace predict` is given: JSON, or numpy's files → inputs of a model."""

import json
import sys
from pathlib import Path

import numpy as np

from headrace.arrays import Inputs
from headrace_runtime.errors import InvalidInput


def read(source: str) -> Inputs:
    """Return the inputs that *source* is, or names.

    Args:
        source: JSON itself, if it begins as a list or an object; `-` for JSON on stdin; else a
            file, of which `.npy` and `.npz` hold arrays and all others JSON.

    Raises:
        InvalidInput: it is no JSON, or a file that cannot be read as what its suffix says.
    """
    if source == "-":
        return _parsed(sys.stdin.read())
    if source.lstrip()[:1] in ("[", "{"):
        return _parsed(source)
    try:
        if source.endswith((".npy", ".npz")):
            loaded = np.load(source, allow_pickle=False)  # a pickle would run what it likes
            return loaded if isinstance(loaded, np.ndarray) else dict(loaded)
        return _parsed(Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{source} cannot be read: {error}") from None


def _parsed(text: str) -> Inputs:
    try:
        inputs: Inputs = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"the input is no JSON: {error}") from None
    return inputs

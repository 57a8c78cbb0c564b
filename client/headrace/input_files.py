"""What `headrace predict` is given: JSON, or numpy's files → inputs of a model."""

import json
import sys
from pathlib import Path

import numpy as np

from headrace.arrays import Inputs
from headrace_runtime.errors import InvalidInput


def parse(text: str) -> Inputs:
    """Return the inputs that JSON spells: lists for a single input, or an object of them.

    Raises:
        InvalidInput: it is no JSON.
    """
    try:
        inputs: Inputs = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"the inputs are no JSON: {error}") from None
    return inputs


def read(source: str) -> Inputs:
    """Return the inputs in a file: `.npy` and `.npz` as arrays, all others, and `-`, as JSON.

    Raises:
        InvalidInput: the file cannot be read, or not as what its suffix says.
    """
    if source == "-":
        return parse(sys.stdin.read())
    try:
        if source.endswith((".npy", ".npz")):
            loaded = np.load(source, allow_pickle=False)  # a pickle would run what it likes
            return loaded if isinstance(loaded, np.ndarray) else dict(loaded)
        return parse(Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{source} cannot be read: {error}") from None

"""Maps from class to probability, as ONNX classifiers give them, as one tensor."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from headrace_runtime.errors import InferenceFailed
from headrace_runtime.tensor import Array

Class = TypeVar("Class", int, str)


def labels_of(maps: Sequence[Mapping[Class, float]]) -> tuple[str, ...]:
    """Return the classes as text, in the order of the columns: ascending; () without records."""
    return tuple(str(name) for name in _classes(maps))


def columns_of(maps: Sequence[Mapping[Class, float]]) -> Array:
    """Return the probabilities, float32 `(records, classes)`, columns by ascending class.

    Raises:
        InferenceFailed: the records have different classes.
    """
    classes = _classes(maps)
    if any(record.keys() != maps[0].keys() for record in maps):
        raise InferenceFailed("the model gave different classes for different records")
    rows = [[record[name] for name in classes] for record in maps]
    return np.array(rows, np.float32).reshape(len(maps), len(classes))


def _classes(maps: Sequence[Mapping[Class, float]]) -> list[Class]:
    return sorted(maps[0]) if maps else []

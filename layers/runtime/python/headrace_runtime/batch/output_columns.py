"""Which columns a model's outputs are in a table of results, whatever its format."""

import math
from collections.abc import Sequence

from headrace_runtime.model.signature import FREE, TensorSpec


def output_columns(name: str, count: int, labels: Sequence[str]) -> list[str]:
    """Return the columns of an output of *count* elements a record, in row-major order.

    One element is a column of the output's name; more are `<name>_<label>` where there is a label
    for each, else `<name>_0`, `<name>_1`, …
    """
    if count == 1 and len(labels) != 1:
        return [name]
    ends = labels if len(labels) == count else map(str, range(count))
    return [f"{name}_{end}" for end in ends]


def declared_columns(spec: TensorSpec) -> list[str]:
    """Return the columns of an output as the model declares it."""
    inner = spec.shape[1:]
    count = len(spec.labels) or (1 if FREE in inner else math.prod(inner))
    return output_columns(spec.name, count, spec.labels)


def free_names(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return *names*, those that are *taken* as `<name>_output`."""
    return [_free(name, taken) for name in names]


def _free(name: str, taken: Sequence[str]) -> str:
    return _free(f"{name}_output", taken) if name in taken else name

"""Shapes as callers write them, checked before anything is multiplied or allocated."""

import math
from typing import Any

from headrace_runtime.errors import InvalidInput

MAX_RANK = 64  # numpy's own limit
MAX_ELEMENTS = 1 << 40  # far above what any body can carry; keeps every product small


def checked_shape(shape: Any, path: str) -> tuple[int, ...]:
    """Return *shape* if it is a list of at most 64 whole lengths, none negative.

    Args:
        shape: what stood in the request.
        path: where it stood, `inputs[0].shape`.

    Raises:
        InvalidInput: it is no such list, or its elements are more than any request can carry.
    """
    if not isinstance(shape, list) or not set(map(type, shape)) <= {int}:
        raise InvalidInput(
            f"{path} must be a list of whole numbers, as [1, 4]", path=path, expected="[integer]"
        )
    if len(shape) > MAX_RANK:
        raise InvalidInput(
            f"{path} has {len(shape)} dimensions: at most {MAX_RANK} can be carried", path=path
        )
    if min(shape, default=0) < 0:
        raise InvalidInput(
            f"{path} has a negative length: send the shape of these values, every length known",
            path=path,
            got=shape,
        )
    if math.prod(filter(None, shape)) > MAX_ELEMENTS:
        raise InvalidInput(f"{path} says more elements than a request can carry", path=path)
    return tuple(shape)


def element_count(shape: tuple[int, ...]) -> int:
    """Return how many elements a tensor of this shape has; 1 for a scalar."""
    return math.prod(shape)

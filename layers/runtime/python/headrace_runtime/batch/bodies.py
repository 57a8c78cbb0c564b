"""Records → bodies: so many records each, whatever the blocks in which they were read."""

from collections.abc import Iterable, Iterator

import numpy as np

from headrace_runtime.codec.records import Records
from headrace_runtime.tensor import Tensor


def bodies(records: Iterable[Records], rows_at_once: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield the model's inputs for the readable records, in order.

    Args:
        records: of a shard.
        rows_at_once: records of each body; the last may have fewer. At least 1.
    """
    waiting: list[Records] = []
    count = 0
    for block in records:
        start = 0
        while start < len(block):
            part = block.part(start, start + rows_at_once - count)
            waiting.append(part)
            start, count = start + len(part), count + len(part)
            if count == rows_at_once:
                yield _together(waiting)
                waiting, count = [], 0
    if waiting:
        yield _together(waiting)


def _together(parts: list[Records]) -> tuple[Tensor, ...]:
    if len(parts) == 1:
        return parts[0].tensors
    return tuple(
        Tensor(some[0].name, some[0].datatype, np.concatenate([tensor.array for tensor in some]))
        for some in zip(*(part.tensors for part in parts), strict=True)
    )

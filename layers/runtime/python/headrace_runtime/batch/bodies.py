"""Records → bodies: so many records each, whatever the blocks in which they were read."""

from collections.abc import Iterable, Iterator

import numpy as np

from headrace_runtime.codec.records import Records
from headrace_runtime.tensor import Tensor

# A body is some megabytes by the number of its records. Where a record is larger than it was
# thought to be, as a free dimension may be any, bodies have fewer: a transform job takes 100 MB.
MAX_BYTES = 16 << 20


def bodies(records: Iterable[Records], rows_at_once: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield the model's inputs for the readable records, in order.

    Args:
        records: of a shard.
        rows_at_once: records of a body at most, at least 1.
    """
    waiting: list[Records] = []
    count = 0
    for block in records:
        if waiting and _shapes(block) != _shapes(waiting[0]):
            yield _together(waiting)
            waiting, count = [], 0
        most, start = min(rows_at_once, _rows_in(MAX_BYTES, block)), 0
        while start < len(block):
            part = block.part(start, start + max(1, most - count))
            waiting.append(part)
            start, count = start + len(part), count + len(part)
            if count >= most:
                yield _together(waiting)
                waiting, count = [], 0
    if waiting:
        yield _together(waiting)


def _shapes(records: Records) -> list[tuple[int, ...]]:
    """Return what one record's tensors look like: what lies in one body looks alike."""
    return [tensor.shape[1:] for tensor in records.tensors]


def _rows_in(size_bytes: int, records: Records) -> int:
    """Return how many of these records so many bytes hold, at least 1."""
    row_bytes = sum(tensor.array.nbytes for tensor in records.tensors) / max(1, len(records))
    return max(1, int(size_bytes / max(1.0, row_bytes)))


def _together(parts: list[Records]) -> tuple[Tensor, ...]:
    if len(parts) == 1:
        return parts[0].tensors
    return tuple(
        Tensor(some[0].name, some[0].datatype, np.concatenate([tensor.array for tensor in some]))
        for some in zip(*(part.tensors for part in parts), strict=True)
    )

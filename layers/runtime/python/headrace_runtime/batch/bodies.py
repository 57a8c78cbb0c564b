"""Records → bodies: so many records each, whatever the blocks in which they were read."""

from collections.abc import Iterable, Iterator

import numpy as np

from headrace_runtime.codec.records import Records
from headrace_runtime.tensor import Array, Tensor

# A body is some megabytes by the number of its records. Where a record is larger than it was
# thought to be, as a free dimension may be any, bodies have fewer: a transform job takes 100 MB.
MAX_BYTES = 16 << 20


class Regarded:
    """Records as they pass by, once.

    Attributes:
        plain: whether all that have passed were plain.
    """

    def __init__(self, records: Iterable[Records]) -> None:
        self._records = records
        self.plain = True

    def __iter__(self) -> Iterator[Records]:
        for block in self._records:
            self.plain = self.plain and block.plain
            yield block


def bodies(records: Iterable[Records], rows_at_once: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield the model's inputs for the readable records, in order.

    What is yielded is overwritten by the next: the memory of one body serves them all.

    Args:
        records: of a shard.
        rows_at_once: records of a body at most, at least 1.
    """
    body: _Body | None = None
    for block in records:
        if body is not None and body.shapes != _shapes(block.tensors):
            yield from body.taken()
            body = None
        most, start = min(rows_at_once, _rows_in(MAX_BYTES, block)), 0
        while start < len(block):
            if body is None or (not body.rows and body.room != most):
                body = _Body(block.tensors, most)
            part = block.part(start, start + max(1, most - body.rows))
            body.add(part.tensors)
            start += len(part)
            if body.rows >= most:
                yield from body.taken()
    if body is not None:
        yield from body.taken()


class _Body:
    """Collects records that look alike, in arrays that have room for *room* of them."""

    def __init__(self, like: tuple[Tensor, ...], room: int) -> None:
        self.room = room
        self.rows = 0
        self.shapes = _shapes(like)
        self._like = like
        self._arrays: list[Array] = [
            np.empty((room, *tensor.shape[1:]), tensor.array.dtype) for tensor in like
        ]

    def add(self, tensors: tuple[Tensor, ...]) -> None:
        """Take some records more, of which there may be as many as there is room."""
        last = self.rows + len(tensors[0].array)
        for array, tensor in zip(self._arrays, tensors, strict=True):
            array[self.rows : last] = tensor.array
        self.rows = last

    def taken(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield what there is, unless there is nothing, and begin anew."""
        if self.rows:
            yield tuple(
                Tensor(tensor.name, tensor.datatype, array[: self.rows])
                for tensor, array in zip(self._like, self._arrays, strict=True)
            )
        self.rows = 0


def _shapes(tensors: tuple[Tensor, ...]) -> list[tuple[int, ...]]:
    """Return what one record's tensors look like: what lies in one body looks alike."""
    return [tensor.shape[1:] for tensor in tensors]


def _rows_in(size_bytes: int, records: Records) -> int:
    """Return how many of these records so many bytes hold, at least 1."""
    row_bytes = sum(tensor.array.nbytes for tensor in records.tensors) / max(1, len(records))
    return max(1, int(size_bytes / max(1.0, row_bytes)))

"""Tensors from one process to another: elements in a file that both hold open, places in words.

The file has no name, and nothing waits for the disk: its pages are memory of the kernel. AWS
Lambda has no /dev/shm. Whoever writes may be trusted with the file, since a reader that mapped it
dies if it shrinks: a parent only writes to its child's file and copies out of the other.
"""

import mmap
import os
import tempfile
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from headrace_runtime.codec import raw_tensor
from headrace_runtime.errors import Unavailable
from headrace_runtime.tensor import Datatype, Tensor

_ALIGNED = 64  # bytes: a line of the processor's cache

Place = dict[str, Any]


class TensorMemory:
    """A file of tensors; what is written takes the place of what was there before."""

    def __init__(self, descriptor: int) -> None:
        """Take over an open file."""
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self._map: mmap.mmap | None = None

    @classmethod
    def new(cls) -> Self:
        """Return an empty one, in the folder for temporary files."""
        with tempfile.TemporaryFile() as file:
            return cls(os.dup(file.fileno()))

    @property
    def descriptor(self) -> int:
        """Number of the file in this process."""
        return self._file.fileno()

    def write(self, tensors: Sequence[Tensor]) -> list[Place]:
        """Write *tensors*, the file growing as needed; return where each is, as JSON values.

        Raises:
            Unavailable: the disk has no room for them.
        """
        places, offset = [], 0
        for tensor in tensors:
            raw = raw_tensor.raw_values(tensor)
            self._write(raw, offset)
            places.append(
                {
                    "name": tensor.name,
                    "datatype": str(tensor.datatype),
                    "shape": tensor.shape,
                    "offset": offset,
                    "size_bytes": len(raw),
                }
            )
            offset += -(-len(raw) // _ALIGNED) * _ALIGNED
        return places

    def read(self, places: Sequence[Place]) -> list[Tensor]:
        """Return the tensors that are at *places*, in memory of their own.

        Raises:
            InvalidInput: they are not there.
        """
        return [_tensor(place, self._copied(place)) for place in places]

    def view(self, places: Sequence[Place]) -> list[Tensor]:
        """Return the tensors that are at *places*, unmoved: good until the next are written.

        Elements of BYTES are copied.
        """
        end = max((place["offset"] + place["size_bytes"] for place in places), default=0)
        if end and (self._map is None or len(self._map) < end):
            size = os.fstat(self.descriptor).st_size
            self._map = mmap.mmap(self.descriptor, size, prot=mmap.PROT_READ)
        whole = memoryview(self._map or b"")
        return [
            _tensor(place, whole[place["offset"] : place["offset"] + place["size_bytes"]])
            for place in places
        ]

    def close(self) -> None:
        """Give the file up; its memory is free once no process holds it."""
        self._file.close()

    def _write(self, raw: memoryview, offset: int) -> None:
        while raw:
            try:
                written = os.pwrite(self.descriptor, raw, offset)
            except OSError as error:
                raise Unavailable(f"the disk has no room for {len(raw):,} bytes") from error
            raw, offset = raw[written:], offset + written

    def _copied(self, place: Place) -> memoryview:
        size, offset = place["size_bytes"], place["offset"]
        copy = np.empty(min(size, os.fstat(self.descriptor).st_size), np.uint8).data
        rest = copy
        while rest and (count := os.preadv(self.descriptor, [rest], offset)):
            rest, offset = rest[count:], offset + count
        return copy


def _tensor(place: Place, raw: memoryview) -> Tensor:
    shape, datatype = tuple(place["shape"]), Datatype(place["datatype"])
    return raw_tensor.from_bytes(place["name"], datatype, shape, raw)

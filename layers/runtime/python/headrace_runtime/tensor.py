"""Tensors of the Open Inference Protocol: a name, a datatype, a shape and checked values."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]


class Datatype(StrEnum):
    """The thirteen datatypes of the Open Inference Protocol, by protocol name."""

    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The numpy dtype that holds it; BYTES are `bytes` objects in an object array."""
        return _DTYPES[self]

    @property
    def size_bytes(self) -> int:
        """Bytes of one element on the wire; 0 for BYTES, whose elements vary."""
        return 0 if self is Datatype.BYTES else _DTYPES[self].itemsize

    @property
    def is_float(self) -> bool:
        """Whether it can hold NaN and infinities."""
        return self in (Datatype.FP16, Datatype.FP32, Datatype.FP64)

    @property
    def is_integer(self) -> bool:
        """Whether it holds whole numbers only (BOOL and BYTES are no numbers)."""
        return self.name.startswith(("INT", "UINT"))


_DTYPES: dict[Datatype, np.dtype[np.generic]] = {
    Datatype.BOOL: np.dtype(np.bool_),
    Datatype.UINT8: np.dtype(np.uint8),
    Datatype.UINT16: np.dtype(np.uint16),
    Datatype.UINT32: np.dtype(np.uint32),
    Datatype.UINT64: np.dtype(np.uint64),
    Datatype.INT8: np.dtype(np.int8),
    Datatype.INT16: np.dtype(np.int16),
    Datatype.INT32: np.dtype(np.int32),
    Datatype.INT64: np.dtype(np.int64),
    Datatype.FP16: np.dtype(np.float16),
    Datatype.FP32: np.dtype(np.float32),
    Datatype.FP64: np.dtype(np.float64),
    Datatype.BYTES: np.dtype(np.object_),
}

_DATATYPES: dict[np.dtype[np.generic], Datatype] = {
    dtype: datatype for datatype, dtype in _DTYPES.items()
}


def datatype_of(array: Array) -> Datatype | None:
    """Return the datatype that *array* holds, or None where the protocol has none for it.

    Byte order does not matter; an object array counts as BYTES, unlooked at.
    """
    return _DATATYPES.get(array.dtype) or _DATATYPES.get(array.dtype.newbyteorder("="))


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A named array.

    Attributes:
        name: as the model's signature names it.
        datatype: what the elements are.
        array: the values, any shape (0-d and empty included), of the datatype's dtype in the
            machine's byte order; elements of BYTES are `bytes`.
    """

    name: str
    datatype: Datatype
    array: Array

    def __post_init__(self) -> None:
        if self.array.dtype != _DTYPES[self.datatype]:
            raise ValueError(
                f"{self.name!r}: {self.datatype} is held as {_DTYPES[self.datatype]}, "
                f"got {self.array.dtype}"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions, () for a scalar."""
        return self.array.shape

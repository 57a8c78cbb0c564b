"""Thrift's compact protocol, in which Parquet's footers are written: bytes ⇄ structs of any kind.

A struct is its fields by number, each with its type; nothing is known of what they mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

BOOLS = (1, 2)  # true, false: in a struct the type is the value
BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT = 3, 4, 5, 6, 7, 8, 9, 10, 12
_INTEGERS = (I16, I32, I64)

Struct = dict[int, tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Elements:
    """A list or set: the type of its elements, and they themselves."""

    type: int
    values: list[Any]


class Reader:
    """Reads structs that stand one behind the other. What is cut raises IndexError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self) -> Struct:
        """Return the struct that begins here.

        Raises:
            IndexError: the data ends before it does.
            ValueError: it has a type that Parquet has no use for.
        """
        fields: Struct = {}
        number = 0
        while head := self._byte():
            number, kind = self._field(head, number), head & 15
            fields[number] = (kind, None if kind in BOOLS else self._value(kind))
        return fields

    def each(self, field: int) -> Iterator[Struct]:
        """Yield the structs in the list that is *field* of the struct that begins here.

        Raises:
            IndexError: the data ends before it does.
            ValueError: it has a type that Parquet has no use for, or the list is none of structs.
        """
        number = 0
        while head := self._byte():
            number, kind = self._field(head, number), head & 15
            if number == field:
                element, count = self._list_head()
                if (kind, element) != (LIST, STRUCT):
                    raise ValueError(f"field {field} is no list of structs")
                for _ in range(count):
                    yield self.struct()
            elif kind not in BOOLS:
                self._value(kind)

    def _field(self, head: int, last: int) -> int:
        return last + (head >> 4) if head >> 4 else self._signed()

    def _value(self, kind: int) -> Any:
        if kind in _INTEGERS:
            return self._signed()
        if kind == BINARY:
            return self._bytes(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            return self._elements()
        if kind == DOUBLE:
            return self._bytes(8)
        if kind in (BYTE, *BOOLS):  # of a list, in which bools are bytes
            return self._byte()
        raise ValueError(f"there is no type {kind} in Parquet")

    def _elements(self) -> Elements:
        kind, count = self._list_head()
        return Elements(kind, [self._value(kind) for _ in range(count)])

    def _list_head(self) -> tuple[int, int]:
        head = self._byte()
        return head & 15, head >> 4 if head >> 4 < 15 else self._varint()

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError("the data is cut")
        return self._data[self._at - size : self._at]

    def _varint(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 128:
            number |= (byte & 127) << shift
            shift += 7
        return number | byte << shift

    def _signed(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)


def struct_bytes(fields: Struct) -> bytes:
    """Return a struct as it is written, its fields by number."""
    written, last = bytearray(), 0
    for number, (kind, value) in sorted(fields.items()):
        step = number - last
        written += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + _signed(number)
        written += b"" if kind in BOOLS else _value_bytes(kind, value)
        last = number
    return bytes(written) + b"\0"


def list_head(kind: int, count: int) -> bytes:
    """Return what stands before the elements of a list."""
    return bytes([count << 4 | kind]) if count < 15 else bytes([15 << 4 | kind]) + _varint(count)


def _value_bytes(kind: int, value: Any) -> bytes:
    if isinstance(value, bytes):  # written already, or of a fixed size, but for what is counted
        return _varint(len(value)) + value if kind == BINARY else value
    if kind in _INTEGERS:
        return _signed(value)
    if kind == STRUCT:
        return struct_bytes(value)
    if kind in (LIST, SET):
        elements = b"".join(_value_bytes(value.type, element) for element in value.values)
        return list_head(value.type, len(value.values)) + elements
    return bytes([value])


def _signed(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)

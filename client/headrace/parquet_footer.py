"""How many rows a Parquet file has: field 3 of the footer, which is Thrift's compact protocol.

https://github.com/apache/parquet-format: `FileMetaData`, behind it its length in four bytes and
`PAR1`. To read one number no Parquet library is needed.
"""

from typing import IO

from headrace_runtime.errors import InvalidInput

_NUM_ROWS = 3
_NOTHING, _BYTE, _INTEGERS, _DOUBLE, _TEXT = (1, 2), 3, (4, 5, 6), 7, 8
_LISTS, _STRUCT = (9, 10), 12


def num_rows(file: IO[bytes]) -> int:
    """Return how many rows the file has.

    Raises:
        InvalidInput: it does not end as a Parquet file does.
    """
    try:
        end = file.seek(0, 2)
        file.seek(max(0, end - 8))
        tail = file.read()
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != b"PAR1" or length > end - 8:
            raise InvalidInput("the Parquet file is cut short: it does not end with its footer")
        file.seek(end - 8 - length)
        return _Thrift(file.read(length)).number(_NUM_ROWS)
    except (IndexError, ValueError):
        raise InvalidInput("the footer of the Parquet file cannot be read") from None


class _Thrift:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, wanted: int) -> int:
        """Return the field *wanted* of the struct that begins here."""
        field = 0
        while kind := self._byte():
            field = field + (kind >> 4) if kind >> 4 else self._zigzag()
            if field == wanted:
                return self._zigzag()
            self._skip(kind & 15)
        raise ValueError(f"no field {wanted}")

    def _skip(self, kind: int) -> None:
        """Pass over a value; true and false are kinds of their own, and have no bytes."""
        if kind in _INTEGERS:
            self._varint()
        elif kind in (_BYTE, _DOUBLE):
            self._at += 1 if kind == _BYTE else 8
        elif kind == _TEXT:
            length = self._varint()
            self._at += length
        elif kind in _LISTS:
            size = self._byte()
            count = size >> 4 if size >> 4 < 15 else self._varint()
            for _ in range(count):
                self._skip(size & 15)
        elif kind == _STRUCT:
            while inner := self._byte():
                if not inner >> 4:
                    self._zigzag()
                self._skip(inner & 15)
        elif kind not in _NOTHING:
            raise ValueError(f"no kind {kind} stands in this footer")

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

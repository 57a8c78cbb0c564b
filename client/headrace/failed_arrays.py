"""Some records of files that are not text: NPY, NPZ and Parquet."""

import math
import zipfile
import zlib
from importlib import import_module
from typing import IO, Any

import numpy as np

from headrace.failed import Failed
from headrace_runtime.codec.npy_header import exactly, read_header
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Array


def write_npy(stream: IO[bytes], failed: Failed, target: IO[bytes]) -> None:
    """Write the records of an NPY file that failed, in the memory of one of them.

    An array in Fortran's order is held whole.
    """
    header = read_header(stream)
    if header.by_column:
        stream.seek(0)
        np.save(target, _some(np.load(stream, allow_pickle=False), failed))
        return
    begin, each = stream.tell(), header.dtype.itemsize * math.prod(header.shape[1:])
    facts = {
        "descr": np.lib.format.dtype_to_descr(header.dtype),
        "fortran_order": False,
        "shape": (len(failed.rows), *header.shape[1:]),
    }
    np.lib.format.write_array_header_1_0(target, facts)
    for row in failed.rows.tolist():
        stream.seek(begin + (row - 1) * each)
        target.write(exactly(stream, each))


def write_npz(stream: IO[bytes], failed: Failed, target: IO[bytes]) -> None:
    """Write the records of an NPZ file that failed; an array that is shorter stays whole."""
    try:
        with zipfile.ZipFile(target, "w") as made, np.load(stream, allow_pickle=False) as arrays:
            for name, array in arrays.items():
                long = array.shape and len(array) >= failed.rows[-1]
                with made.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, _some(array, failed) if long else array)
    except (zipfile.BadZipFile, zlib.error, ValueError) as error:
        raise InvalidInput(f"the NPZ file cannot be taken apart: {error}") from None


def write_parquet(stream: IO[bytes], failed: Failed, target: IO[bytes]) -> None:
    """Write the records of a Parquet file that failed, in the memory of one of its batches.

    Raises:
        InvalidInput: pyarrow is not installed.
    """
    parquet = _parquet()
    file, row = parquet.ParquetFile(stream), 1
    with parquet.ParquetWriter(target, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            first, stop = np.searchsorted(failed.rows, [row, row + batch.num_rows])
            if first < stop:
                writer.write_batch(batch.take(failed.rows[first:stop] - row))
            row += batch.num_rows


def _some(array: Array, failed: Failed) -> Array:
    return array[failed.rows - 1]


def _parquet() -> Any:
    try:
        return import_module("pyarrow.parquet")
    except ImportError:
        raise InvalidInput(
            "to take a Parquet file apart pyarrow is needed: install pyarrow, or send the records "
            "that failed by yourself"
        ) from None

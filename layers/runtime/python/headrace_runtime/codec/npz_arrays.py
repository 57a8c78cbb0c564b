"""NPZ → tensors: a ZIP archive with an array for each input, held whole up to a bound."""

import io
import zipfile
import zlib
from collections.abc import Iterator

from headrace_runtime.codec.array_records import array_records, shaped
from headrace_runtime.codec.npy_array import MAX_WHOLE_BYTES, whole_array
from headrace_runtime.codec.npy_header import read_header
from headrace_runtime.codec.records import ByteStream, Records
from headrace_runtime.errors import InvalidInput, MissingInput, TooLarge
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Array

ROWS_AT_ONCE = 4096
_MAX_ENTRIES = 1024
# RuntimeError is of entries that are encrypted, or compressed in a way that zipfile does not know.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError)


def open_npz(stream: ByteStream, signature: Signature) -> Iterator[Records]:
    """Return the records of an NPZ file for a model of this signature, in order.

    An array goes to the input of its name; where they are `arr_0`, `arr_1`, … in that order.

    Raises:
        InvalidInput: it is no such archive, or an array does not fit.
        MissingInput: an input has no array.
        TooLarge: the archive, or what it unfolds to, is larger than can be held.
    """
    body = whole_body(stream, "an NPZ file")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            arrays = _arrays(archive, signature)
    except _DAMAGE as error:
        raise InvalidInput(f"the NPZ archive is damaged: {error}") from None
    return sliced(arrays, signature)


def whole_body(stream: ByteStream, what: str) -> bytes:
    """Return all bytes of *stream*.

    Raises:
        TooLarge: they are more than MAX_WHOLE_BYTES; *what* names them.
    """
    body = bytearray()
    while data := stream.read(1 << 20):
        body += data
        if len(body) > MAX_WHOLE_BYTES:
            raise _too_large(what)
    return bytes(body)


def sliced(arrays: dict[str, Array], signature: Signature) -> Iterator[Records]:
    """Yield the records of whole arrays, some at a time.

    Raises:
        InvalidInput: they have not as many records each.
    """
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        raise InvalidInput(f"every input must have as many records as the others, got {counts}")
    count = next(iter(counts.values()))
    return (
        array_records(
            {name: array[start : start + ROWS_AT_ONCE] for name, array in arrays.items()},
            signature,
            start + 1,
        )
        for start in range(0, count, ROWS_AT_ONCE)
    )


def _arrays(archive: zipfile.ZipFile, signature: Signature) -> dict[str, Array]:
    entries = archive.namelist()
    if len(entries) > _MAX_ENTRIES:
        raise InvalidInput(f"the archive has {len(entries):,} entries: send an array an input")
    names = signature.input_names
    counted = entries == [f"arr_{i}.npy" for i in range(len(names))]
    arrays, left = {}, MAX_WHOLE_BYTES
    for index, spec in enumerate(signature.inputs):
        entry = f"arr_{index}.npy" if counted else f"{spec.name}.npy"
        if entry not in entries:
            raise MissingInput(spec.name, names)
        arrays[spec.name] = _array(archive, entry, spec, left)
        left -= arrays[spec.name].nbytes
    return arrays


def _array(archive: zipfile.ZipFile, entry: str, spec: TensorSpec, left: int) -> Array:
    """Return one array; not a byte more is unfolded than its header says and than is left."""
    with archive.open(entry) as stream:
        header = read_header(stream)
        if header.size_bytes > left:
            raise _too_large("the arrays of an NPZ file")
        shape = shaped(spec, header.dtype, header.shape)
        array = whole_array(stream, header)
        return array.reshape(len(array), *shape)


def _too_large(what: str) -> TooLarge:
    return TooLarge(
        what, limit_bytes=MAX_WHOLE_BYTES, got_bytes=None, advice="send several files, or NPY"
    )

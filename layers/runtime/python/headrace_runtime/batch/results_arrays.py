"""Answers → arrays: NPY, NPZ and the answer to an infer request; without the inputs."""

import io
import zipfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace_runtime.batch.record_runs import Answers
from headrace_runtime.codec.open_inference import InferRequest, encode_response
from headrace_runtime.codec.records import Numbers
from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.signature import FREE, TensorSpec
from headrace_runtime.tensor import Array, Datatype, Tensor

# NPZ and infer responses hold outputs until all are there; as many bytes as their inputs may have.
_MAX_HELD_BYTES = 256 << 20


class NpyResults:
    """Writes a part of one array with a record for each of the input's, in its order.

    Records without an answer are NaN, or 0 where there is none. With several outputs the array has
    a field by the name of each.
    """

    def __init__(self, outputs: Sequence[TensorSpec], rows: int, first_row: int = 1) -> None:
        """Be ready for records from *first_row* on, of *rows* in the whole file.

        Raises:
            ModelUnfit: an output is text, of which an array must know the width beforehand.
        """
        texts = [spec.name for spec in outputs if spec.datatype is Datatype.BYTES]
        if texts:
            raise ModelUnfit(f"output {texts[0]!r} is text, which NPY cannot take: drop CSV or NPZ")
        self._specs = outputs
        self._rows = rows
        self._shapes = {s.name: tuple(0 if d == FREE else d for d in s.shape[1:]) for s in outputs}
        self._dtype = _record(outputs, self._shapes)
        self._answered = False
        self._written = first_row - 1

    def encode(self, answers: Answers) -> bytes:
        """Return the elements of *answers*, with what stands for records before without one.

        Raises:
            ModelUnfit: a record's outputs have another shape than the first one's.
        """
        shapes = {output.name: output.shape[1:] for output in answers.outputs}
        if not self._answered:
            self._shapes, self._dtype = shapes, _record(self._specs, shapes)
            self._answered = True
        if shapes != self._shapes:
            raise ModelUnfit(
                f"record {answers.rows[0]} has outputs of shape {list(shapes.values())}, others "
                "have others: an array has one shape, drop JSON Lines"
            )
        last = int(answers.rows[-1])
        block = self._without_answer(last - self._written)
        for output in answers.outputs:
            block[output.name][answers.rows - self._written - 1] = output.array
        self._written = last
        return block.tobytes()

    def end(self, next_row: int) -> bytes:
        """Return what is still missing: the last records before *next_row*, without an answer."""
        rest = self._without_answer(next_row - 1 - self._written)
        self._written = next_row - 1
        return rest.tobytes()

    def layout(self) -> str:
        """Return the header of the whole array."""
        written = io.BytesIO()
        one = len(self._specs) == 1
        spec = self._specs[0]
        np.lib.format.write_array_header_1_0(
            written,
            {
                "descr": spec.datatype.dtype.newbyteorder("<").str if one else self._dtype.descr,
                "fortran_order": False,
                "shape": (self._rows, *(self._shapes[spec.name] if one else ())),
            },
        )
        return written.getvalue().decode("latin-1")

    def _without_answer(self, rows: int) -> NDArray[np.void]:
        block = np.zeros(rows, self._dtype)
        for spec in self._specs:
            if spec.datatype.is_float:
                block[spec.name] = np.nan
        return block


class HeldResults:
    """Holds the outputs of all records that have an answer, with their numbers as `row`."""

    def __init__(self) -> None:
        self._rows: list[Numbers] = []
        self._outputs: list[tuple[Tensor, ...]] = []
        self._held_bytes = 0

    def encode(self, answers: Answers) -> bytes:
        """Take *answers*; nothing is written before the end.

        Raises:
            ModelUnfit: they are more than can be held.
        """
        self._rows.append(answers.rows)
        self._outputs.append(answers.outputs)
        self._held_bytes += sum(output.array.nbytes for output in answers.outputs)
        if self._held_bytes > _MAX_HELD_BYTES:
            raise ModelUnfit("the outputs are more than can be held at once: drop smaller files")
        return b""

    def layout(self) -> str:
        """Return what stands before it: nothing."""
        return ""

    def tensors(self) -> list[Tensor]:
        """Return every output, whole, and the numbers of the records.

        Raises:
            ModelUnfit: the outputs of some records have other shapes than those of others.
        """
        numbers = np.concatenate(self._rows) if self._rows else np.zeros(0, np.int64)
        outputs = list(zip(*self._outputs, strict=True))
        try:
            whole = [np.concatenate([part.array for part in parts]) for parts in outputs]
        except ValueError:
            raise ModelUnfit(
                "the outputs of some records have other shapes than others: drop JSON Lines"
            ) from None
        tensors = [
            Tensor(parts[0].name, parts[0].datatype, array)
            for parts, array in zip(outputs, whole, strict=True)
        ]
        name = "row"
        while name in {tensor.name for tensor in tensors}:
            name += "_"
        return [Tensor(name, Datatype.INT64, numbers), *tensors]


class NpzResults(HeldResults):
    """Writes an NPZ archive: an array for each output, and `row`."""

    def end(self, next_row: int) -> bytes:
        """Return the archive; text is of the width of the longest one."""
        del next_row
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
            for tensor in self.tensors():
                entry = zipfile.ZipInfo(f"{tensor.name}.npy")  # dated 1980: the same bytes always
                with archive.open(entry, "w", force_zip64=True) as array:
                    np.lib.format.write_array(array, _plain(tensor), allow_pickle=False)
        return written.getvalue()


class ResponseResults(HeldResults):
    """Writes the answer to an infer request, all of it as raw values, and `row`."""

    def __init__(self, model: str, version: int) -> None:
        super().__init__()
        self._model, self._version = model, version

    def end(self, next_row: int) -> bytes:
        """Return JSON and the raw values right behind it."""
        del next_row
        asked = InferRequest(None, (), binary_default=True)
        return encode_response(self._model, self._version, asked, self.tensors()).body


def _record(specs: Sequence[TensorSpec], shapes: dict[str, tuple[int, ...]]) -> np.dtype[np.void]:
    little = [(s.name, s.datatype.dtype.newbyteorder("<"), shapes[s.name]) for s in specs]
    return np.dtype(little)


def _plain(tensor: Tensor) -> Array:
    if tensor.datatype is not Datatype.BYTES:
        return tensor.array
    texts = [t.decode(errors="backslashreplace") for t in tensor.array.ravel().tolist()]
    return np.array(texts, np.str_).reshape(tensor.shape)

"""A call of more records than are taken at once, cut and put together again."""

from collections.abc import Iterator, Sequence

import numpy as np

from headrace_runtime.errors import InferenceFailed, ModelUnfit
from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Tensor


def parts(tensors: Sequence[Tensor], rows_at_once: int) -> Iterator[Sequence[Tensor]]:
    """Yield the inputs of so many records each, in order; none where there are no records.

    Args:
        tensors: the inputs of a call; their first dimension is the records if *rows_at_once* is
            above 1.
        rows_at_once: 1 where the model takes one record a run; then the call is one part.

    Raises:
        InferenceFailed: the inputs have different numbers of records, or nothing in a record.
    """
    counts = {tensor.shape[0] for tensor in tensors} if rows_at_once > 1 else {1}
    if len(counts) > 1:
        raise InferenceFailed("the inputs of a call must have the same number of records")
    [count] = counts
    if count and not all(tensor.array.size for tensor in tensors):
        raise InferenceFailed("an input is empty, which no container takes")
    if rows_at_once == 1 or 0 < count <= rows_at_once:
        yield tensors
        return
    for start in range(0, count, rows_at_once):
        yield [
            Tensor(tensor.name, tensor.datatype, tensor.array[start : start + rows_at_once])
            for tensor in tensors
        ]


def joined(spec: TensorSpec, outputs: Sequence[Tensor]) -> Tensor:
    """Return one output of a call, of what its parts gave.

    Raises:
        ModelUnfit: they gave tensors of different shapes, whatever the number of records.
    """
    if len(outputs) == 1:
        return outputs[0]
    if not outputs:
        shape = (0, *(max(0, length) for length in spec.shape[1:]))
        return Tensor(spec.name, spec.datatype, np.empty(shape, spec.datatype.dtype))
    try:
        array = np.concatenate([output.array for output in outputs])
    except ValueError:
        raise ModelUnfit(
            f"output {spec.name!r} has another shape for other records: send fewer of them a call"
        ) from None
    return Tensor(spec.name, spec.datatype, array)

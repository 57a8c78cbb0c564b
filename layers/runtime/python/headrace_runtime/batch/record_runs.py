"""Records → answers: many together where the model can, and only the guilty ones without one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from headrace_runtime.codec.records import BadRow, Numbers, Records
from headrace_runtime.errors import InferenceFailed, ModelUnfit
from headrace_runtime.model.signature import FREE, Signature
from headrace_runtime.tensor import Tensor

Infer = Callable[[Sequence[Tensor]], Sequence[Tensor]]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the model gave for some records.

    Attributes:
        rows: numbers of the records that have an answer, ascending.
        outputs: the model's outputs, their first dimension the records.
        bad: the records on which the model fails.
        texts: of the records that have an answer, as `Records.texts`.
    """

    rows: Numbers
    outputs: tuple[Tensor, ...]
    bad: tuple[BadRow, ...] = ()
    texts: Sequence[bytes] | None = None


class RecordRuns:
    """Runs records through one model."""

    def __init__(self, infer: Infer, signature: Signature, *, rows_at_once: int) -> None:
        """Run at most *rows_at_once* records together, one by one if the model takes but one.

        Raises:
            ModelUnfit: the model takes a fixed number of records above one.
        """
        self._infer = infer
        self._signature = signature
        self._rows_at_once = rows_at_once
        self._one_by_one = takes_one(signature)

    def answers(self, records: Records) -> Iterator[Answers]:
        """Yield the answers to *records* in order; what could not be read is not among them.

        Raises:
            ModelUnfit: the model cannot be run at all.
        """
        for start in range(0, len(records), self._rows_at_once):
            yield from self._together(records.part(start, start + self._rows_at_once))

    def _together(self, records: Records) -> Iterator[Answers]:
        if self._one_by_one:
            yield from self._singly(records)
            return
        try:
            outputs = tuple(self._infer(records.tensors))
        except InferenceFailed as error:
            if len(records) == 1:
                yield _failed(records, error)
                return
            middle = len(records) // 2
            yield from self._together(records.part(0, middle))
            yield from self._together(records.part(middle, len(records)))
            return
        if self._answers_each(outputs, len(records)):
            yield Answers(records.rows, outputs, texts=records.texts)
        else:
            self._one_by_one = len(records) > 1 or self._one_by_one
            yield from self._singly(records)

    def _answers_each(self, outputs: Sequence[Tensor], count: int) -> bool:
        """Whether the outputs' first dimension is the records, as far as can be told.

        A length that the graph fixes and that happens to be the number of records tells nothing.
        """
        fixed = {spec.name: spec.shape[:1] for spec in self._signature.outputs}
        return all(
            output.shape[:1] == (count,) and (count == 1 or fixed[output.name] != (count,))
            for output in outputs
        )

    def _singly(self, records: Records) -> Iterator[Answers]:
        for index in range(len(records)):
            record = records.part(index, index + 1)
            feeds = [self._alone(tensor) for tensor in record.tensors]
            try:
                outputs = tuple(_record_of(output) for output in self._infer(feeds))
            except InferenceFailed as error:
                yield _failed(record, error)
            else:
                yield Answers(record.rows, outputs, texts=record.texts)

    def _alone(self, tensor: Tensor) -> Tensor:
        """Return one record's tensor as the model takes it: scalars have no first dimension."""
        if self._signature.input(tensor.name).shape:
            return tensor
        return Tensor(tensor.name, tensor.datatype, tensor.array.reshape(()))


def takes_one(signature: Signature) -> bool:
    """Whether the model takes one record a run, not any number.

    Raises:
        ModelUnfit: it takes a fixed number of records above one, or nothing at all.
    """
    if not signature.inputs:
        raise ModelUnfit("the model has no input: there is nothing in a file that it could take")
    for spec in signature.inputs:
        if spec.shape[:1] not in ((), (1,), (FREE,)):
            raise ModelUnfit(
                f"input {spec.name!r} takes exactly {spec.shape[0]} records a run, and a file may "
                "hold any number: export the model with a free first dimension",
                expected=list(spec.shape),
            )
    return any(spec.shape[:1] != (FREE,) for spec in signature.inputs)


def _failed(record: Records, error: InferenceFailed) -> Answers:
    bad = BadRow(int(record.rows[0]), int(record.lines[0]), error.code, error.sentence)
    return Answers(np.empty(0, np.int64), (), (bad,))


def _record_of(output: Tensor) -> Tensor:
    """Return an output of one record with the record as first dimension."""
    first = output.shape[:1] == (1,)
    array = output.array if first else output.array[np.newaxis]
    return Tensor(output.name, output.datatype, array)

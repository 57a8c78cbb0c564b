"""Records → answers: many together where the model can, and only the guilty ones without one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from headrace_runtime.codec.records import BadRow, Numbers, Records, RowTable
from headrace_runtime.errors import InferenceFailed
from headrace_runtime.inference.process_failures import (
    InferenceCrashed,
    InferenceTimedOut,
    ModelKills,
)
from headrace_runtime.model.manifest import Profile
from headrace_runtime.model.record_rows import takes_one
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Tensor

Infer = Callable[[Sequence[Tensor]], Sequence[Tensor]]

# Records that fail together are tried again in so many parts: three more failures find one in
# 4,096. Each may cost a process, or all the time that a run may take.
_PARTS = 16
_RUN_MS = 2000.0  # of CPU, which a run of records together is meant to take at most


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the model gave for some records.

    Attributes:
        rows: numbers of the records that have an answer, ascending.
        outputs: the model's outputs, their first dimension the records.
        bad: the records on which the model fails.
        texts, table: of the records that have an answer, as those of `Records`.
    """

    rows: Numbers
    outputs: tuple[Tensor, ...]
    bad: tuple[BadRow, ...] = ()
    texts: Sequence[bytes] | None = None
    table: RowTable | None = None


class Runs(Protocol):
    """What answers records: a model that runs here, or what came back from where it ran."""

    def answers(self, records: Records) -> Iterator[Answers]:
        """Yield the answers to *records* in order; what could not be read is not among them."""
        ...


class RecordRuns:
    """Runs records through one model."""

    def __init__(
        self,
        infer: Infer,
        signature: Signature,
        *,
        rows_at_once: int,
        max_crashed: int = 100,
        max_timed_out: int = 10,
    ) -> None:
        """Run records together, one by one if the model takes but one.

        Args:
            infer: runs the model.
            signature: the model's.
            rows_at_once: the most records of a run. Where so many take too long together and
                fewer do not, no more than those are run from then on.
            max_crashed: the most records that may end the model's process.
            max_timed_out: the most records that may use up the time of a run, each.

        Raises:
            ModelUnfit: the model takes a fixed number of records above one.
        """
        self._infer = infer
        self._signature = signature
        self._rows_at_once = rows_at_once
        self._one_by_one = takes_one(signature)
        self._left: dict[type[InferenceFailed], int] = {
            InferenceCrashed: max_crashed,
            InferenceTimedOut: max_timed_out,
        }

    def answers(self, records: Records) -> Iterator[Answers]:
        """Yield the answers to *records* in order; what could not be read is not among them.

        Raises:
            ModelUnfit: the model cannot be run at all.
            ModelKills: too many records crash the model, or take it too long.
        """
        start = 0
        while start < len(records):
            stop = start + self._rows_at_once
            yield from self._together(records.part(start, stop))
            start = stop

    def _together(self, records: Records) -> Iterator[Answers]:
        if self._one_by_one:
            yield from self._singly(records)
            return
        try:
            outputs = tuple(self._infer(records.tensors))
        except InferenceFailed as error:
            if len(records) == 1:
                yield self._failed(records, error)
            else:
                yield from self._in_parts(records, error)
            return
        if self._answers_each(outputs, len(records)):
            yield Answers(records.rows, outputs, texts=records.texts, table=records.table)
        else:
            self._one_by_one = len(records) > 1 or self._one_by_one
            yield from self._singly(records)

    def _in_parts(self, records: Records, error: InferenceFailed) -> Iterator[Answers]:
        """Run records that failed together in parts; if none takes too long, they were too many."""
        left, size = self._left[InferenceTimedOut], -(-len(records) // _PARTS)
        start = 0
        while start < len(records):
            stop = start + min(size, self._rows_at_once)
            yield from self._together(records.part(start, stop))
            start = stop
        if isinstance(error, InferenceTimedOut) and self._left[InferenceTimedOut] == left:
            self._rows_at_once = min(size, self._rows_at_once)

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
                outputs = tuple(record_of(output) for output in self._infer(feeds))
            except InferenceFailed as error:
                yield self._failed(record, error)
            else:
                yield Answers(record.rows, outputs, texts=record.texts, table=record.table)

    def _failed(self, record: Records, error: InferenceFailed) -> Answers:
        left = self._left.get(type(error))
        if left == 0:
            raise ModelKills("dies of, or is stuck with, too many of the records") from error
        if left is not None:
            self._left[type(error)] = left - 1
        bad = BadRow(int(record.rows[0]), int(record.lines[0]), error.code, error.sentence)
        return Answers(np.empty(0, np.int64), (), (bad,))

    def _alone(self, tensor: Tensor) -> Tensor:
        """Return one record's tensor as the model takes it: scalars have no first dimension."""
        if self._signature.input(tensor.name).shape:
            return tensor
        return Tensor(tensor.name, tensor.datatype, tensor.array.reshape(()))


def rows_together(profile: Profile, at_most: int) -> int:
    """Return how many records to run together so that no run takes more than some seconds."""
    return max(1, min(at_most, int(_RUN_MS / max(profile.ms_per_row, 0.001))))


def record_of(output: Tensor) -> Tensor:
    """Return an output of one record with the record as first dimension."""
    first = output.shape[:1] == (1,)
    array = output.array if first else output.array[np.newaxis]
    return Tensor(output.name, output.datatype, array)

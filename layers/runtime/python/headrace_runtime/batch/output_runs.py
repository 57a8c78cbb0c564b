"""Outputs → answers: what was made of a shard's records is given back to the same records."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from headrace_runtime.batch.handed import Handed
from headrace_runtime.batch.record_runs import Answers, record_of
from headrace_runtime.codec.records import Records
from headrace_runtime.errors import HeadraceError
from headrace_runtime.tensor import Tensor

Read = Callable[[int], Sequence[Tensor]]


class OutputsUnfit(HeadraceError):
    """What came back is not what belongs to the records."""


class OutputRuns:
    """Answers records by outputs that exist already.

    The readable records of a file are the same whenever it is read, so their order is all that
    tells which row of which output is whose.
    """

    def __init__(self, read: Read, handed: Handed, *, answered: int, one_by_one: bool) -> None:
        """Answer what comes after the first *answered* records of the shard.

        Args:
            read: gives the outputs of a body, by its number.
            handed: what was made of the shard.
            answered: records of the shard that have their answers by now.
            one_by_one: whether the model takes one record a run: then it may give its outputs no
                dimension for it.
        """
        self._read = read
        self._handed = handed
        self._next = answered - handed.answered
        self._ends = list(accumulate(handed.sizes))
        self._one_by_one = one_by_one
        self._at_hand: tuple[int, tuple[Tensor, ...]] | None = None

    def answers(self, records: Records) -> Iterator[Answers]:
        """Yield the answers to *records* in order; what could not be read is not among them.

        Raises:
            OutputsUnfit: the outputs are not those of these records.
        """
        start = 0
        while start < len(records):
            body = bisect_right(self._ends, self._next)
            outputs = self._outputs(body)
            part = records.part(start, start + self._ends[body] - self._next)
            first = self._next - self._ends[body] + self._handed.sizes[body]
            last = first + len(part)
            yield Answers(
                part.rows,
                tuple(Tensor(o.name, o.datatype, o.array[first:last]) for o in outputs),
                texts=part.texts,
                table=part.table,
            )
            start, self._next = start + len(part), self._next + len(part)

    def _outputs(self, body: int) -> tuple[Tensor, ...]:
        if self._at_hand is None or self._at_hand[0] != body:
            if body >= self._handed.bodies:
                raise OutputsUnfit(f"the file has more records than {self._handed.rows} by now")
            self._at_hand = body, self._checked(body, self._read(body))
        return self._at_hand[1]

    def _checked(self, body: int, outputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        rows = self._handed.sizes[body]
        given = tuple(record_of(o) if self._one_by_one else o for o in outputs)
        for output in given:
            if output.shape[:1] != (rows,):
                raise OutputsUnfit(
                    f"output {output.name!r} of body {body} has shape {list(output.shape)}, and "
                    f"{rows} records were sent",
                    got=list(output.shape),
                )
        return given

"""Shards: ranges of a job's records, worked alongside each other; what is done of each is parts."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.handed import Handed
from headrace_runtime.batch.job import Job
from headrace_runtime.codec.records import START, Position
from headrace_runtime.errors import Conflict


class ShardState(StrEnum):
    """Where a shard is; a done one never changes again."""

    QUEUED = "queued"
    RUNNING = "running"
    HANDED = "handed"  # SageMaker has it
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Range:
    """What of a file is still to be worked.

    Attributes:
        start: where reading begins, a boundary of records.
        stop: the byte before which it ends (the row, of Parquet); None is the file's end.
        next_row: the first record without an answer; those between *start* and it have theirs.
    """

    start: Position = START
    stop: int | None = None
    next_row: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """What one run wrote of a shard: consecutive records, answered or listed.

    Attributes:
        results, errors: keys of the objects; empty where there is nothing to hold.
        results_bytes, errors_bytes: their sizes.
        sha256: of the results, hex.
        layout: what stands before the first part of the file, as text in which each character is
            a byte: the columns or dtype of the results.
    """

    counts: Counts
    results: str = ""
    results_bytes: int = 0
    sha256: str = ""
    errors: str = ""
    errors_bytes: int = 0
    layout: str = ""


@dataclass(frozen=True, slots=True)
class Shard:
    """A range of a job's records.

    Attributes:
        number: from 0, in the file's order.
        range: what is still to be worked.
        attempt: how often a worker began it; a move holds for one attempt only.
        tries: how often one began it since the last part was written, and could have gone on.
        lease_until: ISO 8601, UTC; until then it belongs to the worker of this attempt.
        parts: what is done, in order.
        progress: records that the present run has behind it.
        cost_usd: of the runs that wrote its parts, estimated.
        handed: what SageMaker has of it; its range begins with the first record that has no
            answer in a part.
        on_cpu: whether it is not given to SageMaker, wherever its job is placed.
    """

    job_id: str
    number: int
    range: Range = field(default_factory=Range)
    state: ShardState = ShardState.QUEUED
    attempt: int = 0
    tries: int = 0
    lease_until: str | None = None
    parts: tuple[Part, ...] = ()
    progress: Counts = field(default_factory=Counts)
    cost_usd: float = 0.0
    handed: Handed | None = None
    on_cpu: bool = False

    @property
    def counts(self) -> Counts:
        """Records behind it, those of the present run included."""
        return sum((part.counts for part in self.parts), self.progress)

    def for_gpu(self, job: Job) -> bool:
        """Whether SageMaker is still to be given it."""
        return job.on_gpu and not self.on_cpu and self.handed is None

    def held(self, now: datetime) -> bool:
        """Whether a worker has it, as far as is known."""
        until = self.lease_until
        running = self.state is ShardState.RUNNING
        return running and until is not None and now < datetime.fromisoformat(until)

    def start(self, now: datetime, lease_s: float) -> "Shard":
        """Return the shard as it stands once a worker has begun it.

        Raises:
            Conflict: it is done, or another worker's lease on it is still good.
        """
        if self.state is ShardState.DONE:
            raise Conflict(f"shard {self.number} of job {self.job_id} is done: it was not begun")
        if self.held(now):
            raise Conflict(
                f"shard {self.number} of job {self.job_id} belongs to another worker until "
                f"{self.lease_until}: it was not begun"
            )
        return replace(
            self,
            state=ShardState.RUNNING,
            attempt=self.attempt + 1,
            tries=self.tries + 1,
            lease_until=(now + timedelta(seconds=lease_s)).isoformat(),
            progress=Counts(),
        )

    def progressed(self, counts: Counts) -> "Shard":
        """Return the running shard with the records that this run has behind it."""
        return replace(self._running("counted"), progress=counts)

    def released(self, *, tried: bool = True) -> "Shard":
        """Return the shard as it stands once its worker gave it up, what it did in vain.

        Args:
            tried: whether that counts as a try; not where it was kept from its work by others.
        """
        waiting = self._running("released")
        tries = waiting.tries - (not tried)
        return replace(waiting, state=self._idle, tries=tries, lease_until=None, progress=Counts())

    def written(self, part: Part, rest: Range | None, cost_usd: float) -> "Shard":
        """Return the shard with one more part; done, or waiting for a worker of the *rest*."""
        moved = replace(
            self._running("written"),
            state=ShardState.DONE if rest is None else self._idle,
            range=self.range if rest is None else rest,
            tries=0,
            lease_until=None,
            parts=(*self.parts, part),
            progress=Counts(),
        )
        return replace(moved, cost_usd=self.cost_usd + cost_usd)

    def handed_over(self, handed: Handed, cost_usd: float) -> "Shard":
        """Return the running shard once its bodies lie ready for SageMaker.

        Args:
            handed: what it is to have of it.
            cost_usd: of the answers, reckoned.
        """
        moved = replace(self._running("handed over"), state=ShardState.HANDED, handed=handed)
        cost_usd += self.cost_usd
        return replace(moved, tries=0, lease_until=None, progress=Counts(), cost_usd=cost_usd)

    def with_sent(self, bodies: int) -> "Shard":
        """Return the shard once so many of its bodies were sent in this round."""
        return replace(self, handed=replace(self.known_handed, sent=bodies))

    def asked_again(self, until: datetime, done: int) -> "Shard":
        """Return the shard as it is once what lacks an output is asked for once more.

        Args:
            until: when what has not come by then is taken for lost.
            done: how many outputs there are.
        """
        handed, until_text = self.known_handed, until.isoformat()
        asked = replace(handed, round=handed.round + 1, until=until_text, sent=0, done=done)
        return replace(self, attempt=self.attempt + 1, handed=asked)

    def given_back(self) -> "Shard":
        """Return the shard as it waits for a worker's own CPU: SageMaker did not answer it."""
        waiting = replace(self, state=ShardState.QUEUED, attempt=self.attempt + 1, tries=0)
        return replace(waiting, lease_until=None, handed=None, on_cpu=True)

    @property
    def known_handed(self) -> Handed:
        """What SageMaker has of it.

        Raises:
            Conflict: nothing.
        """
        if self.handed is None:
            raise Conflict(f"shard {self.number} of job {self.job_id} is not with SageMaker")
        return self.handed

    @property
    def _idle(self) -> ShardState:
        return ShardState.QUEUED if self.handed is None else ShardState.HANDED

    def _running(self, done: str) -> "Shard":
        if self.state is not ShardState.RUNNING:
            raise Conflict(
                f"shard {self.number} of job {self.job_id} is {self.state}: it was not {done}"
            )
        return self

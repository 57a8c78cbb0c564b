"""Jobs: one dropped file's journey, from the event to the last row of its results."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.placement import Placement
from headrace_runtime.batch.plan import MOST_BY_TIME
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.batch.stop import CANCEL, Stop
from headrace_runtime.batch.webhook import Webhook
from headrace_runtime.codec.file_format import Content
from headrace_runtime.codec.records import START, Position
from headrace_runtime.errors import Conflict, InvalidInput


class JobState(StrEnum):
    """Where a job is: `queued` and `running` move on, the others are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"  # every record has an answer
    PARTIAL = "partial"  # some have, the others are listed with a reason
    FAILED = "failed"  # none has
    CANCELLED = "cancelled"  # what was done by then stands

    @property
    def final(self) -> bool:
        """Whether the job will never change again."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Cut:
    """How far a file is cut into shards.

    Attributes:
        shards: how many there are by now.
        end: where the last one ends.
        complete: whether that is the file's end.
    """

    shards: int = 0
    end: Position = START
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One dropped file's journey.

    Attributes:
        model, version, digest: fixed when the job was made; None where the file named no version
            that there is, and the job failed for it.
        revision: how many moves it has behind it; a move holds where it stands and nowhere else.
        content: what the file is; None where that could not be told, and the job failed for it.
        joined: whether the results repeat the records before their outputs.
        cut: how far the file is cut into shards.
        stop: why it ends early; None while it does not.
        closing: whether its files are being put together: no shard is worked any more.
        shards_done: how many shards are.
        sha256: of the results: of the one part, or `<hex>-<parts>`, the sha256 of the parts'.
        cost_usd: of all runs that wrote something, estimated.
        error: one sentence on why the whole job failed.
        created_at, started_at, finished_at: ISO 8601, UTC.
        webhook: who is told of the end.
        placement: where it runs, and why; None of one that failed before.
        deadline_s: within so many seconds of its coming it should end; None where nobody said.
    """

    job_id: str
    source: Source
    target: Target
    created_at: str
    model: str | None = None
    version: int | None = None
    digest: str | None = None
    state: JobState = JobState.QUEUED
    revision: int = 0
    cut: Cut = field(default_factory=Cut)
    stop: Stop | None = None
    closing: bool = False
    shards_done: int = 0
    counts: Counts = field(default_factory=Counts)
    error: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    content: Content | None = None
    joined: bool = True
    sha256: str | None = None
    cost_usd: float | None = None
    webhook: Webhook | None = None
    placement: Placement | None = None
    deadline_s: int | None = None

    @property
    def on_gpu(self) -> bool:
        """Whether SageMaker answers it, but for shards that it could not."""
        return self.placement is not None and self.placement.engine.on_gpu

    @property
    def known_content(self) -> Content:
        """What the file is.

        Raises:
            InvalidInput: nobody could tell.
        """
        if self.content is None:
            raise InvalidInput("the job does not say what its file is")
        return self.content

    @property
    def shard_rows(self) -> int:
        """Records that the next shard has, at most; 0 where they do not count.

        They do up to some number of shards only: a file may have many more than was thought.
        """
        if self.placement is None or self.cut.shards >= 2 * MOST_BY_TIME:
            return 0
        return self.placement.shard_rows

    @property
    def known_version(self) -> tuple[str, int]:
        """Model and version that answer it.

        Raises:
            InvalidInput: the file named none that there is.
        """
        if self.model is None or self.version is None:
            raise InvalidInput("the job names no version of a model")
        return self.model, self.version

    @property
    def workable(self) -> bool:
        """Whether shards of it may be begun."""
        return not (self.state.final or self.closing or self.stop)

    def cut_to(self, end: Position, *, complete: bool) -> "Job":
        """Return the job with one more shard, which ends at *end*."""
        self._open("cut")
        return replace(self, cut=Cut(self.cut.shards + 1, end, complete))

    def begun(self, now: datetime) -> "Job":
        """Return the job once a worker has begun one of its shards."""
        self._open("begun")
        if self.state is JobState.RUNNING:
            return self
        return replace(self, state=JobState.RUNNING, started_at=now.isoformat())

    def stopped(self, stop: Stop) -> "Job":
        """Return the job with the reason for which it ends early; the first reason counts.

        Raises:
            Conflict: it is over; a job that is cancelled may be cancelled again.
        """
        if stop == CANCEL and self.state is JobState.CANCELLED:
            return self
        self._open("stopped")
        return self if self.stop or self.closing else self.with_stop(stop)

    def with_stop(self, stop: Stop) -> "Job":
        """Return the job with another reason for which it ends early."""
        return replace(self, stop=stop)

    def asked_to_cancel(self) -> "Job":
        """Return the job with the wish that it end.

        Raises:
            Conflict: it ended otherwise.
        """
        return self.stopped(CANCEL)

    def closed(self) -> "Job":
        """Return the job once its files are being put together: no part is added any more."""
        self._open("closed")
        return replace(self, closing=True)

    def rerouted(self, reason: str) -> "Job":
        """Return the job as what is left of it goes to SageMaker, for a *reason* of one sentence.

        It stays where it is if it is there already, or may not go.
        """
        self._open("placed anew")
        if self.placement is None or self.on_gpu or not self.placement.may_use_gpu:
            return self
        return replace(self, placement=self.placement.rerouted(reason))

    def fallen_back(self, why: str) -> "Job":
        """Return the job, of which something went back to Lambda, with *why* in one sentence."""
        if self.placement is None or self.state.final:
            return self
        return replace(self, placement=self.placement.fallen_back(why))

    def ended(self, counts: Counts, now: datetime, *, sha256: str | None, cost_usd: float) -> "Job":
        """Return the job as it ends, its shards worked or stopped.

        Args:
            counts: of all parts together.
            now: the time.
            sha256: of the results.
            cost_usd: of all runs.
        """
        self._open("ended")
        if self.stop and self.stop != CANCEL:
            return replace(self.failed(self.stop.error, now), cost_usd=cost_usd)
        state, error = JobState.SUCCEEDED, None
        if counts.rows_failed:
            state = JobState.PARTIAL
        if counts.rows_failed and not counts.rows_ok:
            state = JobState.FAILED
            error = f"none of the {counts.rows_in} records could be answered: see errors.jsonl"
        if self.stop:
            state, error = JobState.CANCELLED, None
        ended = replace(self, state=state, error=error, counts=counts, sha256=sha256)
        return replace(ended, cost_usd=cost_usd, finished_at=now.isoformat())

    def failed(self, error: str, now: datetime) -> "Job":
        """Return the job as it ends when it cannot be done at all; no record counts.

        Raises:
            Conflict: it is over already.
        """
        self._open("failed")
        ended = replace(self, state=JobState.FAILED, error=error, counts=Counts())
        return replace(ended, finished_at=now.isoformat())

    def _open(self, done: str) -> None:
        if self.state.final:
            raise Conflict(f"job {self.job_id} is {self.state} already: it was not {done}")

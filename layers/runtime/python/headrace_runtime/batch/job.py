"""Jobs: one dropped file's journey, from the event to the last row of its results."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from headrace_runtime.codec.file_format import Content
from headrace_runtime.errors import Conflict


class JobState(StrEnum):
    """Where a job is: `queued` and `running` move on, the others are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"  # every record has an answer
    PARTIAL = "partial"  # some have, the others are listed with a reason
    FAILED = "failed"  # none has
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether the job will never change again."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Source:
    """The dropped file: one version of one object.

    Attributes:
        version_id: None in a bucket that keeps no versions; then the etag tells them apart.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Target:
    """Where the results go: objects of *bucket* whose keys begin with *prefix*, `…/`."""

    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Records of a job: each is answered, or listed with a reason."""

    rows_ok: int = 0
    rows_failed: int = 0

    @property
    def rows_in(self) -> int:
        """All records that were read."""
        return self.rows_ok + self.rows_failed


@dataclass(frozen=True, slots=True)
class Job:
    """One dropped file's journey.

    Attributes:
        model, version, digest: fixed when the job was made; None where the file named no version
            that there is, and the job failed for it.
        attempt: how often a worker began the work; a move holds for one attempt only.
        lease_until: ISO 8601, UTC; until then the job belongs to the worker of this attempt.
        content: what the file is; None where that could not be told, and the job failed for it.
        joined: whether the results repeat the records before their outputs.
        sha256: of the results' file.
        cost_usd: of the work that ended the job, estimated.
        error: one sentence on why the whole job failed.
        created_at, started_at, finished_at: ISO 8601, UTC.
    """

    job_id: str
    source: Source
    target: Target
    created_at: str
    model: str | None = None
    version: int | None = None
    digest: str | None = None
    state: JobState = JobState.QUEUED
    attempt: int = 0
    lease_until: str | None = None
    counts: Counts = field(default_factory=Counts)
    error: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    content: Content | None = None
    joined: bool = True
    sha256: str | None = None
    cost_usd: float | None = None

    def start(self, now: datetime, lease_s: float) -> "Job":
        """Return the job as it stands once a worker has begun it.

        Raises:
            Conflict: it is over, or another worker's lease on it is still good.
        """
        leased = self.lease_until is not None and now < datetime.fromisoformat(self.lease_until)
        if self.state.final:
            raise Conflict(f"job {self.job_id} is {self.state} already: it was not begun")
        if self.state is JobState.RUNNING and leased:
            raise Conflict(
                f"job {self.job_id} belongs to another worker until {self.lease_until}: "
                "it was not begun"
            )
        return replace(
            self,
            state=JobState.RUNNING,
            attempt=self.attempt + 1,
            lease_until=(now + timedelta(seconds=lease_s)).isoformat(),
            started_at=self.started_at or now.isoformat(),
            counts=Counts(),
        )

    def progressed(self, counts: Counts) -> "Job":
        """Return the running job with the records it has behind it.

        Raises:
            Conflict: it does not run.
        """
        self._running("counted")
        return replace(self, counts=counts)

    def released(self) -> "Job":
        """Return the job as it stands once its worker has given it up for another to begin.

        Raises:
            Conflict: it does not run.
        """
        self._running("released")
        return replace(self, state=JobState.QUEUED, lease_until=None, counts=Counts())

    def finished(self, counts: Counts, now: datetime, *, sha256: str | None = None) -> "Job":
        """Return the job as it ends when its file was read to the end.

        Args:
            counts: of its records.
            now: the time.
            sha256: of the results' file.

        Raises:
            Conflict: it does not run.
        """
        self._running("finished")
        state, error = JobState.SUCCEEDED, None
        if counts.rows_failed:
            state = JobState.PARTIAL
        if counts.rows_failed and not counts.rows_ok:
            state = JobState.FAILED
            error = f"none of the {counts.rows_in} records could be answered: see errors.jsonl"
        ended = replace(self, state=state, counts=counts, error=error, sha256=sha256)
        return replace(ended, lease_until=None, finished_at=now.isoformat())

    def failed(self, error: str, now: datetime) -> "Job":
        """Return the job as it ends when it cannot be done at all; no record counts.

        Raises:
            Conflict: it is over already.
        """
        if self.state.final:
            raise Conflict(f"job {self.job_id} is {self.state} already: it did not fail")
        ended = replace(self, state=JobState.FAILED, error=error, counts=Counts())
        return replace(ended, lease_until=None, finished_at=now.isoformat())

    def to_dict(self) -> dict[str, Any]:
        """Return what callers see of the job, as plain JSON values."""
        source, target = self.source, self.target
        return {
            "job_id": self.job_id,
            "state": str(self.state),
            "model": self.model,
            "version": self.version,
            "digest": self.digest,
            "input": {
                "bucket": source.bucket,
                "key": source.key,
                "version_id": source.version_id,
            },
            "format": self.content and str(self.content.format),
            "compression": self.content and str(self.content.compression),
            "results": {
                "bucket": target.bucket,
                "prefix": target.prefix,
                "records": "joined" if self.joined else "predictions",
                "sha256": self.sha256,
            },
            "rows_in": self.counts.rows_in,
            "rows_ok": self.counts.rows_ok,
            "rows_failed": self.counts.rows_failed,
            "estimated_cost_usd": self.cost_usd,
            **({} if self.error is None else {"error": self.error}),
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
        }

    def _running(self, done: str) -> None:
        if self.state is not JobState.RUNNING:
            raise Conflict(f"job {self.job_id} is {self.state}: it was not {done}")

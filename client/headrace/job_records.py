"""What the service tells of jobs, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from headrace.placement_records import Considered, Engine, Placement

State = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
Written = Literal["joined", "predictions"]

ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})


class Submitted(str):
    """The id of a job that was submitted just now.

    Attributes:
        webhook_secret: what the calls of its webhook are signed with, `whsec_…`, which nobody is
            told again; None where it has none.
    """

    __slots__ = ("webhook_secret",)

    webhook_secret: str | None

    def __new__(cls, job_id: str, webhook_secret: str | None = None) -> Self:
        """Return the id."""
        made = super().__new__(cls, job_id)
        made.webhook_secret = webhook_secret
        return made


@dataclass(frozen=True, slots=True)
class Shards:
    """The parts into which a job's file is cut.

    Attributes:
        total: None while it is still being cut.
    """

    total: int | None
    done: int


@dataclass(frozen=True, slots=True)
class Job:
    """One dropped file's journey.

    Attributes:
        state: queued, running, succeeded, partial, failed or cancelled.
        model: the model that answers; empty where the file named none.
        version: the version that answers every record of the job; None while not known.
        source: the file, `s3://bucket/key`.
        results: the folder of what comes back, `s3://bucket/prefix`; empty while not known.
        written: whether results repeat the input (`joined`) or are `predictions` alone.
        sha256: of the results' file, hex; `<hex>-<parts>` where it was put together of parts;
            None where there is none.
        rows_in, rows_ok, rows_failed: records that are behind it, answered or failed; they grow
            while the job runs.
        placement: where it runs, and why; None while not known.
        deadline_s: in so many seconds it should have ended; None where nobody said.
        cancel_requested: whether somebody asked for its end.
        error: why the job failed, else None.
        created_at, started_at, finished_at: ISO 8601, UTC.
    """

    job_id: str
    state: State
    model: str
    version: int | None
    source: str
    format: str | None
    compression: str | None
    results: str
    written: Written
    sha256: str | None
    rows_in: int
    rows_ok: int
    rows_failed: int
    shards: Shards
    estimated_cost_usd: float | None
    placement: Placement | None
    deadline_s: int | None
    cancel_requested: bool
    error: str | None
    created_at: str | None
    started_at: str | None
    finished_at: str | None

    @property
    def ended(self) -> bool:
        """Whether the job will not move any more."""
        return self.state in ENDED

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read a job as every route of the service writes it."""
        source, results = plain.get("input") or {}, plain.get("results") or {}
        shards, placement = plain.get("shards") or {}, plain.get("placement")
        as_they_are = ("job_id", "state", "rows_in", "rows_ok", "rows_failed")
        maybe = ("version", "format", "compression", "estimated_cost_usd", "deadline_s", "error")
        times = ("created_at", "started_at", "finished_at")
        told: dict[str, Any] = {fact: plain.get(fact) for fact in (*maybe, *times)}
        return cls(
            **{fact: plain[fact] for fact in as_they_are},
            **told,
            model=plain.get("model") or "",
            source=f"s3://{source['bucket']}/{source['key']}" if source else "",
            results=f"s3://{results['bucket']}/{results['prefix']}" if results else "",
            written=results.get("records", "joined"),
            sha256=results.get("sha256"),
            shards=Shards(shards.get("total"), shards.get("done", 0)),
            placement=None if placement is None else Placement.from_json(placement),
            cancel_requested=plain.get("cancel_requested", False),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What the service expects a file to take.

    Attributes:
        version: that would answer every record.
        rows: records of the file.
        shards: parts into which it would be cut.
        concurrency: parts that are worked at one time; on GPUs, instances.
        seconds: from its arrival to its results.
        placement: where the work would be done.
        reason: why there, in one sentence.
        considered: what it would take there, and then elsewhere.
    """

    model: str
    version: int
    rows: int
    shards: int
    concurrency: int
    seconds: float
    estimated_cost_usd: float
    placement: Engine
    reason: str
    considered: tuple[Considered, ...]

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read the answer of `POST /plans`."""
        told = {fact: plain[fact] for fact in cls.__dataclass_fields__}
        return cls(**told | {"considered": tuple(map(Considered.from_json, plain["considered"]))})

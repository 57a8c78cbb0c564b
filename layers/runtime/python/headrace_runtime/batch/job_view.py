"""A job as callers see it."""

from dataclasses import dataclass
from typing import Any

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.placement import Placement
from headrace_runtime.batch.stop import CANCEL


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    Attributes:
        counts: records behind it, those of runs under way included.
        shards_done: shards that are worked.
    """

    counts: Counts
    shards_done: int


def job_view(job: Job, progress: Progress | None = None) -> dict[str, Any]:
    """Return the job as plain JSON values.

    Args:
        job: as it stands.
        progress: how far it is; left out, what the job itself says.
    """
    source, target = job.source, job.target
    running = progress is not None and not job.state.final
    counts = progress.counts if progress is not None and running else job.counts
    done = progress.shards_done if progress is not None and running else job.shards_done
    return {
        "job_id": job.job_id,
        "state": str(job.state),
        "model": job.model,
        "version": job.version,
        "digest": job.digest,
        "input": {
            "bucket": source.bucket,
            "key": source.key,
            "version_id": source.version_id,
            "size_bytes": source.size_bytes,
        },
        "format": job.content and str(job.content.format),
        "compression": job.content and str(job.content.compression),
        "results": {
            "bucket": target.bucket,
            "prefix": target.prefix,
            "records": "joined" if job.joined else "predictions",
            "sha256": job.sha256,
        },
        "placement": job.placement and _shown(job.placement),
        "deadline_s": job.deadline_s,
        "shards": {"total": job.cut.shards if job.cut.complete else None, "done": done},
        "cancel_requested": job.stop == CANCEL,
        "rows_in": counts.rows_in,
        "rows_ok": counts.rows_ok,
        "rows_failed": counts.rows_failed,
        "estimated_cost_usd": job.cost_usd,
        **({} if job.error is None else {"error": job.error}),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def _shown(placement: Placement) -> dict[str, Any]:
    plain = placement.to_dict()
    shown = {name: plain[name] for name in ("engine", "reason", "inputs")}
    return shown | ({"fell_back": placement.fell_back} if placement.fell_back else {})

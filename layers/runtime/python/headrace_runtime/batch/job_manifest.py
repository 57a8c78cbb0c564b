"""The manifest of a job: written last, it says that the other files are whole and what they are."""

import json
from dataclasses import replace
from typing import Any

from headrace_runtime.batch.job import Counts, Job, JobState

MANIFEST, ERRORS = "manifest.json", "errors.jsonl"


def results_name(job: Job) -> str | None:
    """Return the name of the results' file, in the format that came in; None if it has none."""
    return None if job.content is None else f"results.{job.content.format}"


def manifest_json(job: Job) -> bytes:
    """Return the manifest of a job that has ended."""
    names = [results_name(job)] if job.counts.rows_in or not job.error else []
    files = [job.target.prefix + name for name in [*names, ERRORS] if name]
    return json.dumps(job.to_dict() | {"files": files}, indent=2, ensure_ascii=False).encode()


def ended_as(job: Job, manifest: bytes) -> Job:
    """Return *job* as it ended according to the manifest that stands in the results bucket."""
    plain: dict[str, Any] = json.loads(manifest)
    return replace(
        job,
        state=JobState(plain["state"]),
        counts=Counts(plain["rows_ok"], plain["rows_failed"]),
        error=plain.get("error"),
        lease_until=None,
        started_at=plain["started_at"],
        finished_at=plain["finished_at"],
        sha256=plain["results"]["sha256"],
        cost_usd=plain["estimated_cost_usd"],
    )

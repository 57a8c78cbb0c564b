"""The manifest of a job: written last, it says that the other files are whole and what they are."""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.job import Job, JobState
from headrace_runtime.batch.job_view import job_view
from headrace_runtime.batch.shard import Part

MANIFEST, ERRORS = "manifest.json", "errors.jsonl"


def results_name(job: Job) -> str | None:
    """Return the name of the results' file, in the format that came in; None if it has none."""
    return None if job.content is None else f"results.{job.content.format}"


def manifest_json(job: Job, parts: Sequence[Part] = ()) -> bytes:
    """Return the manifest of a job that has ended, its results made of *parts*."""
    plain = job_view(job)
    names = [results_name(job)] if job.sha256 or not job.error else []
    plain["files"] = [job.target.prefix + name for name in [*names, ERRORS] if name]
    plain["parts"] = [
        {"size_bytes": part.results_bytes, "sha256": part.sha256}
        for part in parts
        if part.results_bytes
    ]
    return json.dumps(plain, indent=2, ensure_ascii=False).encode()


def checksum(parts: Sequence[Part]) -> str:
    """Return the checksum of results made of *parts*.

    Of one part it is the sha256 of the file, in hex. Of several it is `<hex>-<parts>`: the sha256
    of the parts' own, as bytes, one behind the other, as S3 has it for what was sent in parts; so
    nobody needs to read the whole file once more to say it.
    """
    digests = [part.sha256 for part in parts if part.results_bytes]
    if not digests:
        return sha256().hexdigest()
    if len(digests) == 1:
        return digests[0]
    return f"{sha256(bytes.fromhex(''.join(digests))).hexdigest()}-{len(digests)}"


def ended_as(job: Job, manifest: bytes) -> Job:
    """Return *job* as it ended according to the manifest that stands in the results bucket."""
    plain: dict[str, Any] = json.loads(manifest)
    return replace(
        job,
        state=JobState(plain["state"]),
        counts=Counts(plain["rows_ok"], plain["rows_failed"]),
        error=plain.get("error"),
        started_at=plain["started_at"],
        finished_at=plain["finished_at"],
        sha256=plain["results"]["sha256"],
        cost_usd=plain["estimated_cost_usd"],
    )

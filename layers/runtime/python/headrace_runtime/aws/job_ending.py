"""The last steps of a job: errors, manifest, then its state; each may be taken again."""

from collections.abc import Sequence

from headrace_runtime.aws.announcing import Announce
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.batch.error_lines import job_error
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_manifest import ERRORS, MANIFEST, ended_as, manifest_json
from headrace_runtime.batch.shard import Part


def earlier_ending(job: Job, results: ResultsBucket) -> Job | None:
    """Return how the job ended, if a worker wrote its manifest and then no state; else None."""
    manifest = results.read(job.target.prefix + MANIFEST)
    return None if manifest is None else ended_as(job, manifest)


def published(ended: Job, results: ResultsBucket, parts: Sequence[Part] = ()) -> Job:
    """Write the manifest of a job whose other files stand; return how the job ended.

    The first manifest counts: where another worker was faster, the job ended as it says.
    """
    key = ended.target.prefix + MANIFEST
    if results.put_new(key, manifest_json(ended, parts)):
        return ended
    return earlier_ending(ended, results) or ended


def state_written(ended: Job, *, jobs: Jobs, announce: Announce) -> Job:
    """Write how a job ended whose manifest stands, tell of it, and return the job."""
    job = jobs.change(ended.job_id, lambda job: job if job.state.final else ended)
    announce(job)
    return job


def published_failure(ended: Job, code: str, results: ResultsBucket) -> Job:
    """Write the one line of errors and the manifest of a job that failed as a whole."""
    line = job_error(code, ended.error or "")
    results.put_new(ended.target.prefix + ERRORS, line)
    return published(ended, results)

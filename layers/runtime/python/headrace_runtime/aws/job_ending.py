"""The last steps of a job: errors, manifest, then its state; each may be taken again."""

from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.batch.error_lines import job_error
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_manifest import ERRORS, MANIFEST, ended_as, manifest_json
from headrace_runtime.errors import HeadraceError


def earlier_ending(job: Job, results: ResultsBucket) -> Job | None:
    """Return how the job ended, if a worker wrote its manifest and then no state; else None."""
    manifest = results.read(job.target.prefix + MANIFEST)
    return None if manifest is None else ended_as(job, manifest)


def published(ended: Job, results: ResultsBucket) -> Job:
    """Write the manifest of a job whose other files stand; return how the job ended.

    The first manifest counts: where another worker was faster, the job ended as it says.
    """
    key = ended.target.prefix + MANIFEST
    if results.put_new(key, manifest_json(ended)):
        return ended
    return earlier_ending(ended, results) or ended


def published_failure(ended: Job, error: HeadraceError, results: ResultsBucket) -> Job:
    """Write the one line of errors and the manifest of a job that failed as a whole."""
    results.put_new(ended.target.prefix + ERRORS, job_error(error))
    return published(ended, results)

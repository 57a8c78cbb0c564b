"""A dropped file becomes a job, once, whatever the number of events that tell of it."""

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.job_ending import published_failure
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.batch import plan
from headrace_runtime.batch.job import Job, JobState, Source, Target
from headrace_runtime.batch.job_key import JobKey, job_id, parse_key, results_prefix
from headrace_runtime.codec.content import HEAD_BYTES, content_of
from headrace_runtime.errors import HeadraceError, InvalidInput, JobNotFound, NotFound
from headrace_runtime.model.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


_WISH = "results"  # metadata of the object, `x-amz-meta-results`
JOINED, PREDICTIONS = "joined", "predictions"


class Intake:
    """Makes jobs of dropped files and queues their shards."""

    def __init__(
        self,
        *,
        registry: Registry,
        jobs: Jobs,
        inbox: Inbox,
        results: ResultsBucket,
        sqs: "SQSClient",
        queue_url: str,
    ) -> None:
        self._registry = registry
        self._jobs = jobs
        self._inbox = inbox
        self._results = results
        self._sqs = sqs
        self._queue_url = queue_url

    def accept(self, source: Source, now: datetime) -> Job:
        """Return the file's job, its shards queued, or failed where the file cannot be one.

        Told of the same file again, it gives the same job; shards of a job that still waits are
        queued again, which does no harm: `batch` works each once.
        """
        identity = job_id(source)
        try:
            job = self._jobs.get(identity)
        except JobNotFound:
            job = self._made(identity, source, now)
        if job.state is JobState.QUEUED:
            self._queue(job)
        return job

    def _made(self, identity: str, source: Source, now: datetime) -> Job:
        prefix = results_prefix(source.key, identity)
        target = Target(self._results.bucket, prefix)
        job = Job(identity, source, target, created_at=now.isoformat())
        try:
            wanted = parse_key(source.key)
            job = replace(job, model=wanted.model)
            manifest = self._version(wanted)
            job = replace(job, version=manifest.version, digest=manifest.digest)
            job = self._looked_at(job)
        except (InvalidInput, NotFound) as error:
            return self._jobs.create(self._refused(job, error, now))
        return self._jobs.create(job)

    def _version(self, wanted: JobKey) -> Manifest:
        """Return the version of the whole job: the one an alias names, never its canary."""
        version = wanted.reference
        if isinstance(version, str):
            version = self._registry.alias(wanted.model, version).version
        return self._registry.manifest(wanted.model, version)

    def _looked_at(self, job: Job) -> Job:
        """Return the job with what its file is, and what its dropper wants of it."""
        if not job.source.size_bytes:
            raise InvalidInput("the file is empty")
        head, metadata = self._inbox.head(job.source, HEAD_BYTES)
        job = replace(job, content=content_of(head, job.source.key))
        wish = metadata.get(_WISH, JOINED)
        if wish not in (JOINED, PREDICTIONS):
            raise InvalidInput(
                f"the object's metadata {_WISH!r} must be {JOINED!r} or {PREDICTIONS!r}, "
                f"got {wish[:40]!r}"
            )
        return replace(job, joined=wish == JOINED)

    def _refused(self, job: Job, error: HeadraceError, now: datetime) -> Job:
        return published_failure(job.failed(error.sentence, now), error, self._results)

    def _queue(self, job: Job) -> None:
        for shard in plan.shards(job):
            message = json.dumps({"job_id": job.job_id, "shard": shard})
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=message)

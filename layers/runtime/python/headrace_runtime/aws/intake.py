"""A dropped file becomes a job, once, whatever the number of events that tell of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from headrace_runtime.aws.announcing import Announce
from headrace_runtime.aws.cutting import Cutting
from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.job_ending import published_failure
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shard_queue import ShardQueue
from headrace_runtime.aws.tickets import Ticket, Tickets
from headrace_runtime.batch.clock import Slice
from headrace_runtime.batch.job import Job, Source, Target
from headrace_runtime.batch.job_key import JobKey, job_id, parse_key, results_prefix
from headrace_runtime.codec.content import content_of
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.codec.plain_format import HEAD_BYTES
from headrace_runtime.errors import HeadraceError, InvalidInput, JobNotFound, NotFound
from headrace_runtime.model.manifest import Manifest

_WISH = "results"  # metadata of the object, `x-amz-meta-results`
JOINED, PREDICTIONS = "joined", "predictions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Makes jobs of dropped files, and cuts them into shards."""

    registry: Registry
    jobs: Jobs
    inbox: Inbox
    results: ResultsBucket
    tickets: Tickets
    cutting: Cutting
    queue: ShardQueue
    announce: Announce

    def accept(self, source: Source, now: datetime, time: Slice) -> Job:
        """Return the file's job, its shards queued, or failed where the file cannot be one.

        Told of the same file again, it gives the same job; what may have been left undone then is
        done again, which does no harm: each shard is worked once.
        """
        identity = job_id(source)
        try:
            job = self.jobs.get(identity)
        except JobNotFound:
            job = self._made(identity, source, now)
        if job.cut.shards and job.workable:
            self.queue.shard(job, job.cut.shards - 1)  # it was added, and perhaps not queued
        return self._cut(job, time)

    def go_on(self, identity: str, time: Slice) -> Job:
        """Return a job, its file cut further from where it is cut to by now."""
        return self._cut(self.jobs.get(identity), time)

    def _cut(self, job: Job, time: Slice) -> Job:
        parquet = job.content is not None and job.content.format is FileFormat.PARQUET
        if not parquet:
            return self.cutting.go_on(job, time)
        if job.workable and not job.cut.complete:
            self.queue.cut(job)  # only who reads Parquet can cut it
        return job

    def _made(self, identity: str, source: Source, now: datetime) -> Job:
        prefix = results_prefix(source.key, identity)
        target = Target(self.results.bucket, prefix)
        ticket = self.tickets.of(source.key)
        job = Job(identity, source, target, created_at=now.isoformat())
        job = replace(job, webhook=ticket.webhook if ticket else None)
        try:
            wanted = parse_key(source.key)
            job = replace(job, model=wanted.model)
            manifest = self._version(wanted)
            job = replace(job, version=manifest.version, digest=manifest.digest)
            job = self._looked_at(job, ticket)
        except (InvalidInput, NotFound) as error:
            return self._refused(job, error, now)
        return self.jobs.create(job)

    def _version(self, wanted: JobKey) -> Manifest:
        """Return the version of the whole job: the one an alias names, never its canary."""
        version = wanted.reference
        if isinstance(version, str):
            version = self.registry.alias(wanted.model, version).version
        return self.registry.manifest(wanted.model, version)

    def _looked_at(self, job: Job, ticket: Ticket | None) -> Job:
        """Return the job with what its file is, and what its dropper wants of it."""
        if not job.source.size_bytes:
            raise InvalidInput("the file is empty")
        head, metadata = self.inbox.head(job.source, HEAD_BYTES)
        job = replace(job, content=content_of(head, job.source.key))
        if ticket is not None:
            return replace(job, joined=ticket.joined)
        wish = metadata.get(_WISH, JOINED)
        if wish not in (JOINED, PREDICTIONS):
            raise InvalidInput(
                f"the object's metadata {_WISH!r} must be {JOINED!r} or {PREDICTIONS!r}, "
                f"got {wish[:40]!r}"
            )
        return replace(job, joined=wish == JOINED)

    def _refused(self, job: Job, error: HeadraceError, now: datetime) -> Job:
        failed = job.failed(error.sentence, now)
        job = self.jobs.create(published_failure(failed, error.code, self.results))
        self.announce(job)
        return job

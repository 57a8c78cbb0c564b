"""A dropped file becomes a job, once, whatever the number of events that tell of it."""

from collections.abc import Callable, Mapping
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
from headrace_runtime.batch.extent import Extent
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.job_key import JobKey, job_id, parse_key, results_prefix
from headrace_runtime.batch.means import Means
from headrace_runtime.batch.placement import place
from headrace_runtime.batch.placement_rules import Case
from headrace_runtime.batch.row_estimate import extent_of, parquet_extent
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.batch.submission import MAX_DEADLINE_S
from headrace_runtime.codec.content import content_of
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.codec.plain_format import HEAD_BYTES
from headrace_runtime.errors import HeadraceError, InvalidInput, JobNotFound, NotFound
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.model.signature import Signature

# Metadata of the object, `x-amz-meta-results` and `x-amz-meta-deadline-s`.
_WISH, _DEADLINE = "results", "deadline-s"
JOINED, PREDICTIONS = "joined", "predictions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Makes jobs of dropped files, says where they run, and cuts them into shards.

    Attributes:
        means: says what the stage has at a time.
    """

    registry: Registry
    jobs: Jobs
    inbox: Inbox
    results: ResultsBucket
    tickets: Tickets
    cutting: Cutting
    queue: ShardQueue
    announce: Announce
    means: Callable[[datetime], Means]

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
            job = self._looked_at(job, ticket, manifest, now)
        except (InvalidInput, NotFound) as error:
            return self._refused(job, error, now)
        return self.jobs.create(job)

    def _version(self, wanted: JobKey) -> Manifest:
        """Return the version of the whole job: the one an alias names, never its canary."""
        version = wanted.reference
        if isinstance(version, str):
            version = self.registry.alias(wanted.model, version).version
        return self.registry.manifest(wanted.model, version)

    def _looked_at(self, job: Job, ticket: Ticket | None, manifest: Manifest, now: datetime) -> Job:
        """Return the job with what its file is, what its dropper wants of it, and where it runs."""
        if not job.source.size_bytes:
            raise InvalidInput("the file is empty")
        head, metadata = self.inbox.head(job.source, HEAD_BYTES)
        content = content_of(head, job.source.key)
        wishes = ticket or _wishes(metadata)
        held = self._extent(job.source, head, content, manifest.signature)
        return replace(
            job,
            content=content,
            joined=wishes.joined,
            deadline_s=wishes.deadline_s,
            placement=place(Case(held, manifest, self.means(now), wishes.deadline_s)),
        )

    def _extent(
        self, source: Source, head: bytes, content: Content, signature: Signature
    ) -> Extent:
        if content.format is FileFormat.PARQUET:
            return parquet_extent(self.inbox.at_random(source), signature)
        return extent_of(head, source.size_bytes, content, signature)

    def _refused(self, job: Job, error: HeadraceError, now: datetime) -> Job:
        failed = job.failed(error.sentence, now)
        job = self.jobs.create(published_failure(failed, error.code, self.results))
        self.announce(job)
        return job


def _wishes(metadata: Mapping[str, str]) -> Ticket:
    """Return what the metadata of an object says that has no ticket."""
    wish, deadline = metadata.get(_WISH, JOINED), metadata.get(_DEADLINE)
    if wish not in (JOINED, PREDICTIONS):
        raise InvalidInput(
            f"the object's metadata {_WISH!r} must be {JOINED!r} or {PREDICTIONS!r}, "
            f"got {wish[:40]!r}"
        )
    return Ticket(wish == JOINED, deadline_s=None if deadline is None else _seconds(deadline))


def _seconds(text: str) -> int:
    digits = text.isascii() and text.isdigit() and len(text) < 10
    if not digits or not 1 <= int(text) <= MAX_DEADLINE_S:
        raise InvalidInput(
            f"the object's metadata {_DEADLINE!r} must be a whole number of seconds from 1 to "
            f"{MAX_DEADLINE_S}, got {text[:40]!r}"
        )
    return int(text)

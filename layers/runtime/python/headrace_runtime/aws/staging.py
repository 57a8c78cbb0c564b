"""A shard's records become bodies, which lie ready for SageMaker."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from headrace_runtime.aws.shard_watch import ShardWatch
from headrace_runtime.aws.shard_writing import Opener
from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.batch.bodies import Regarded, bodies
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.file_formats import Wanted
from headrace_runtime.batch.handed import MAX_BODIES, Handed, folder
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.shard import Shard
from headrace_runtime.codec.triton_body import encode_body, header_bytes
from headrace_runtime.errors import HeadraceError, ModelUnfit, OutOfTime
from headrace_runtime.model.manifest import Archive, Manifest


class TooManyBodies(HeadraceError):
    """A shard is no work for SageMaker; a clause says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """Makes bodies.

    Attributes:
        opener: opens a range of a job's file.
    """

    bucket: StagingBucket
    opener: Opener

    def stage(
        self, job: Job, manifest: Manifest, watch: ShardWatch, until: Callable[[], datetime]
    ) -> Handed:
        """Write the bodies of what is left of a shard; return what there is to send.

        Args:
            job: of the shard.
            manifest: of the version that answers.
            watch: has the shard.
            until: says when what is sent now, and has not come, is to be taken for lost.

        Raises:
            InvalidInput, UnfitInput, NotFound, TooLarge: the file or the model is unfit as a whole.
            OutOfTime: the worker's time was too short for the shard.
            TooManyBodies: so many records take a request of their own that it is not worth it.
        """
        shard, archive = watch.shard, known_archive(manifest)
        wanted = Wanted(manifest.model, manifest.version, manifest.signature, job.joined)
        opened, _ = self.opener(job, wanted, shard.range)
        records = Regarded(opened)
        place = folder(job.job_id, shard.number, shard.attempt)
        header, outputs = header_bytes(manifest.signature), manifest.signature.output_names
        sizes: list[int] = []
        for tensors in bodies(records, archive.rows_at_once):
            if len(sizes) == MAX_BODIES:
                raise TooManyBodies(f"it would be more than {MAX_BODIES:,} requests")
            self.bucket.put_body(place, len(sizes), encode_body(tensors, outputs, header))
            sizes.append(len(tensors[0].array))
            if not watch.goes_on(Counts()):
                raise OutOfTime("one run of a function is too short to read a shard of the file")
        handed = Handed(shard.attempt, tuple(sizes), answered(shard), until().isoformat())
        return replace(handed, plain=records.plain)


def answered(shard: Shard) -> int:
    """Return how many records of a shard have their answers in its parts."""
    return sum(part.counts.rows_ok for part in shard.parts)


def known_archive(manifest: Manifest) -> Archive:
    """Return what Triton serves a version from.

    Raises:
        ModelUnfit: there is nothing; no job of the version should have come this far.
    """
    if manifest.archive is None:
        raise ModelUnfit(
            f"version {manifest.version} of the model cannot run on a GPU: {manifest.unfit_for_gpu}"
        )
    return manifest.archive

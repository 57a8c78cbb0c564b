"""Bodies that lie ready are sent: to an endpoint, or all of a job together as a transform job."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from headrace_runtime.aws.async_endpoint import AsyncEndpoint
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.aws.transforms import Transforms
from headrace_runtime.batch.handed import BodyName, folder
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.placement import Engine
from headrace_runtime.batch.shard import Shard
from headrace_runtime.codec.triton_body import content_type, header_bytes
from headrace_runtime.errors import Conflict, Unavailable
from headrace_runtime.model.endpoint import Endpoint
from headrace_runtime.model.manifest import Manifest

_NOTED = 100  # so often it is written down how many bodies were sent
_TRANSFORM_S = 12 * 3600  # a transform job that has not ended by then is taken for lost


@dataclass(frozen=True, slots=True)
class Door:
    """Where the bodies of a job go.

    Attributes:
        name: of the endpoint, or of SageMaker's model for a transform job.
        closed: a clause that says why it takes nothing yet; "" where it does.
    """

    name: str
    closed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Sends bodies."""

    registry: Registry
    shards: Shards
    bucket: StagingBucket
    endpoint: AsyncEndpoint
    transforms: Transforms

    def door(self, job: Job) -> Door:
        """Return where the job's bodies go, as far as it is there."""
        there = self.registry.endpoints(*job.known_version)
        if transformed(job):
            name = there.sagemaker_model if there else ""
            return Door(name, "" if name else "SageMaker has no model of this version yet")
        return _of_endpoint(there.asynchronous if there else None)

    def until(self, job: Job, now: datetime) -> datetime:
        """Return when nothing that is sent now can be on its way any more."""
        longest_s = _TRANSFORM_S if transformed(job) else self.endpoint.longest_s
        return now + timedelta(seconds=longest_s)

    def send(self, job: Job, manifest: Manifest, shard: Shard) -> int:
        """Send what of a shard was not sent in this round and has no output; return how many.

        A shard that somebody else has moved on meanwhile is theirs.

        Raises:
            Unavailable: there is no endpoint.
        """
        door = self.door(job)
        if door.closed:
            raise Unavailable(f"bodies of job {job.job_id} were not sent: {door.closed}")
        content = content_type(header_bytes(manifest.signature))
        if transformed(job):
            return int(bool(self.transforms.start_if_due(job, door.name, content)))
        handed = shard.known_handed
        place = folder(job.job_id, shard.number, handed.attempt)
        there = self.bucket.outputs(place) if handed.sent or handed.round > 1 else set()
        waiting = [body for body in range(handed.sent, handed.bodies) if body not in there]
        with suppress(Conflict):
            for count, body in enumerate(waiting, 1):
                name = BodyName(job.job_id, shard.number, handed.attempt, body, handed.round)
                self.endpoint.send(door.name, name, content)
                if count % _NOTED == 0:
                    shard = self.shards.move(shard, shard.with_sent(body + 1))
            self.shards.move(shard, shard.with_sent(handed.bodies))
        return len(waiting)


def transformed(job: Job) -> bool:
    """Whether a transform job takes the bodies of *job*."""
    return job.placement is not None and job.placement.engine is Engine.TRANSFORM


def _of_endpoint(endpoint: Endpoint | None) -> Door:
    if endpoint is None:
        return Door("", "SageMaker has no endpoint for this version yet")
    if endpoint.ready:
        return Door(endpoint.name)
    why = f" ({endpoint.reason})" if endpoint.reason else ""
    return Door(endpoint.name, f"its endpoint {endpoint.name} is {endpoint.state}{why}")

"""Bodies that lie ready are sent: to an endpoint, or all of a job together as a transform job."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from headrace_runtime.aws.async_endpoint import AsyncEndpoint, EndpointGone
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.shards import Shards
from headrace_runtime.aws.staging_bucket import StagingBucket
from headrace_runtime.aws.transforms import Transforms
from headrace_runtime.batch.handed import BodyName, folder
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.placement import Engine
from headrace_runtime.batch.shard import Shard
from headrace_runtime.codec.triton_body import content_type, header_bytes
from headrace_runtime.errors import Conflict
from headrace_runtime.model.endpoint import Endpoint, EndpointState
from headrace_runtime.model.manifest import Manifest

_NOTED = 100  # so often it is written down how many bodies were sent
_ENDING_S = 20.0  # of the worker's time, to write down how many were sent
_SENDING_S = 900  # within which all are sent, or the worker is no more
_TRANSFORM_S = 12 * 3600  # one that was not to be started by then is given up


@dataclass(frozen=True, slots=True)
class Door:
    """Where the bodies of a job go.

    Attributes:
        name: of the endpoint, or of SageMaker's model for a transform job.
        closed: a clause that says why it takes nothing yet; "" where it does.
        for_long: whether it is not worth waiting for: it failed, or is not made for now.
    """

    name: str
    closed: str = ""
    for_long: bool = False


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
        longest_s = _SENDING_S + (_TRANSFORM_S if transformed(job) else self.endpoint.longest_s)
        return now + timedelta(seconds=longest_s)

    def send(self, job: Job, manifest: Manifest, shard: Shard, left_s: Callable[[], float]) -> int:
        """Send what of a shard was not sent in this round and has no output; return how many.

        A shard that somebody else has moved on meanwhile is theirs. Where the time is too short
        for all, the shard says how far it came.

        Args:
            job: of the shard.
            manifest: of the version that answers.
            shard: whose bodies lie ready.
            left_s: gives the seconds until the worker is stopped.

        Raises:
            EndpointGone: there is no endpoint, or none any more; some may have been sent.
            TransformRefused: SageMaker does not take the transform job.
        """
        door = self.door(job)
        if door.closed:
            raise EndpointGone(door.closed)
        content = content_type(header_bytes(manifest.signature))
        if transformed(job):
            return int(bool(self.transforms.start_if_due(job, door.name, content)))
        handed = shard.known_handed
        place = folder(job.job_id, shard.number, handed.attempt)
        there = self.bucket.outputs(place) if handed.sent or handed.round > 1 else set()
        waiting = [body for body in range(handed.sent, handed.bodies) if body not in there]
        with suppress(Conflict):
            for count, body in enumerate(waiting):
                if left_s() < _ENDING_S:
                    self.shards.move(shard, shard.with_sent(body))
                    return count
                name = BodyName(job.job_id, shard.number, handed.attempt, body, handed.round)
                self.endpoint.send(door.name, name, content)
                if count % _NOTED == _NOTED - 1:
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
    closed = f"its endpoint {endpoint.name} is {endpoint.state}{why}"
    return Door(endpoint.name, closed, for_long=endpoint.state is EndpointState.FAILED)

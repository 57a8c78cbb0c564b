"""What messages ask of `hand_off` and `collect`: a shard given away, a notice seen to."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.notice import Notice, notice_of, transform_job_of
from headrace_runtime.edge.job_messages import Do, Message
from headrace_runtime.errors import JobNotFound
from headrace_runtime.monitoring.invocation import Invocation

Count = Callable[[str, int], object]
HandOver = Callable[[str, int, datetime | None, Clock], int]


class Settles(Protocol):
    """What sees to shards that are with SageMaker."""

    def noticed(self, notice: Notice, clock: Clock, count: Count, /) -> Job:
        """See to what a notice tells of."""
        ...

    def transformed(self, name: str, /) -> None:
        """See to what a transform job has done."""
        ...

    def settle(self, job_id: str, number: int, clock: Clock, count: Count, /) -> Job:
        """See to a shard."""
        ...

    def closed(self, job_id: str, now: datetime, /) -> Job:
        """Close a job if that is due."""
        ...


def asked_of_hand_off(hand_over: HandOver) -> Do:
    """Return what does as a message of the queue HandOff says.

    Args:
        hand_over: gives a job's shard to SageMaker, and returns how many bodies went.
    """

    def do(message: Message, clock: Clock, invocation: Invocation) -> None:
        since = message.get("since")
        began = None if since is None else datetime.fromisoformat(since)
        sent = hand_over(message["job_id"], message["shard"], began, clock)
        invocation.count("GpuBodies", sent)

    return do


def asked_of_collect(settling: Settles) -> Do:
    """Return what does as a message of the queue Collected says: SageMaker's, or one of ours."""

    def do(message: Message, clock: Clock, invocation: Invocation) -> Job | None:
        if "job_id" in message:
            if "shard" in message:
                return settling.settle(message["job_id"], message["shard"], clock, invocation.count)
            return settling.closed(message["job_id"], clock.now())
        transform = transform_job_of(message)
        if transform is not None:
            settling.transformed(transform)
            return None
        notice = notice_of(message)
        if notice is None:
            return None
        try:
            return settling.noticed(notice, clock, invocation.count)
        except JobNotFound:  # the bodies of a job that was removed meanwhile
            return None

    return do

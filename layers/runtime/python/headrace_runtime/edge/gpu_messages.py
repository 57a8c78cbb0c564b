"""What messages ask of `hand_off` and `collect`: a shard given away, a notice seen to."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.notice import Notice, ended_job_of, notice_of, transform_job_of
from headrace_runtime.edge.job_messages import Do, Message
from headrace_runtime.errors import JobNotFound
from headrace_runtime.monitoring.invocation import Invocation

Count = Callable[[str, int], object]
HandOver = Callable[[str, int, datetime | None, Clock, Count], Job]


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

    def ended(self, job_id: str, /) -> Job:
        """Let nothing more be done of a job that is over."""
        ...


def asked_of_hand_off(hand_over: HandOver) -> Do:
    """Return what does as a message of the queue HandOff says.

    Args:
        hand_over: gives a job's shard to SageMaker.
    """

    def do(message: Message, clock: Clock, invocation: Invocation) -> Job:
        since = message.get("since")
        began = None if since is None else datetime.fromisoformat(since)
        job_id, shard = message["job_id"], message["shard"]
        return hand_over(job_id, shard, began, clock, invocation.count)

    return do


def asked_of_collect(settling: Settles) -> Do:
    """Return what does as a message of the queue Collected says: SageMaker's, or one of ours."""

    def do(message: Message, clock: Clock, invocation: Invocation) -> Job | None:
        if "job_id" in message:
            if "shard" in message:
                return settling.settle(message["job_id"], message["shard"], clock, invocation.count)
            return settling.closed(message["job_id"], clock.now())
        try:
            return told(message, clock, invocation)
        except JobNotFound:  # somebody else's, or of a job that was removed meanwhile
            return None

    def told(message: Message, clock: Clock, invocation: Invocation) -> Job | None:
        ended, transform, notice = ended_job_of(message), transform_job_of(message), None
        if ended is not None:
            return settling.ended(ended)
        if transform is not None:
            settling.transformed(transform)
        else:
            notice = notice_of(message)
        return None if notice is None else settling.noticed(notice, clock, invocation.count)

    return do

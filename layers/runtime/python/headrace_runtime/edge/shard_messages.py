"""What messages about shards ask of `batch` and `batch_parquet`: work, a cut, an end."""

from collections.abc import Callable
from datetime import datetime

from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.job import Job
from headrace_runtime.edge.job_messages import Do, Message
from headrace_runtime.monitoring.invocation import Invocation

Work = Callable[[str, int, Clock], Job]
Close = Callable[[str, datetime], Job]
Cut = Callable[[str, Clock], Job]


def asked_of_shards(*, work: Work, close: Close, cut: Cut | None = None) -> Do:
    """Return what does as a message says.

    Args:
        work: works a job's shard, by its number.
        close: closes a job if that is due.
        cut: cuts a job's file further; None where no message asks for that.
    """

    def do(message: Message, clock: Clock, _: Invocation) -> Job:
        job_id = message["job_id"]
        if "shard" in message:
            return work(job_id, message["shard"], clock)
        if cut is not None and "cut" in message:
            return cut(job_id, clock)
        return close(job_id, clock.now())

    return do

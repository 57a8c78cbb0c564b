"""An eye on a running shard: how far it is, and whether its time suffices."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.batch.job import Counts, Job
from headrace_runtime.errors import OutOfTime

_ENDING_S = 15.0  # kept back to write the last part, the manifest and the state
_REPORT_S = 5.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as a worker sees it.

    Attributes:
        now: gives the time, in UTC.
        left_s: gives the seconds until the worker is stopped.
    """

    now: Callable[[], datetime]
    left_s: Callable[[], float]


class ShardWatch:
    """Writes progress now and then, and stops work that would be cut off."""

    def __init__(self, job: Job, jobs: Jobs, clock: Clock) -> None:
        self._job = job
        self._jobs = jobs
        self._clock = clock
        self._noted_s = self._reported_s = clock.left_s()

    def note(self, counts: Counts) -> None:
        """Take note of what is behind, after each run of the model.

        Raises:
            OutOfTime: too little time is left for another run like the last one.
            Conflict: another worker has the job by now.
        """
        left_s = self._clock.left_s()
        last_run_s, self._noted_s = self._noted_s - left_s, left_s
        if left_s < _ENDING_S + 2 * last_run_s:
            raise OutOfTime(
                f"the file is too large for one run: time ran out after {counts.rows_in:,} "
                "records. Drop it in several smaller files",
                rows=counts.rows_in,
            )
        if self._reported_s - left_s >= _REPORT_S:
            self._reported_s = left_s
            self._job = self._jobs.move(self._job, self._job.progressed(counts))

"""A shard is worked: leased, run, written, ended; from any step on it may be begun again."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.job_ending import earlier_ending, published, published_failure
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.aws.shard_watch import Clock, ShardWatch
from headrace_runtime.batch import shard_run
from headrace_runtime.batch.file_formats import Wanted, opened
from headrace_runtime.batch.job import Counts, Job
from headrace_runtime.batch.job_manifest import ERRORS, results_name
from headrace_runtime.batch.record_runs import RecordRuns
from headrace_runtime.errors import (
    InvalidInput,
    NotFound,
    OutOfTime,
    TooLarge,
    Unavailable,
    UnfitInput,
)
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Tensor

MAX_ATTEMPTS = 3  # fewer than the deliveries after which a message is a dead letter

_NEEDED_S = 30.0  # less time than this is not worth beginning with
_LEASE_MARGIN_S = 10.0  # by which a lease outlives the run that took it

# What no retry will mend.
_PERMANENT = (InvalidInput, UnfitInput, NotFound, TooLarge, OutOfTime)

Predict = Callable[[Manifest, Sequence[Tensor]], Sequence[Tensor]]


class ShardWork:
    """Works shards of jobs."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        registry: Registry,
        inbox: Inbox,
        results: ResultsBucket,
        predict: Predict,
        rows_at_once: int,
        price: Callable[[int], float],
    ) -> None:
        """Work with what is given; *price* says what so many nanoseconds cost, in USD."""
        self._jobs = jobs
        self._registry = registry
        self._inbox = inbox
        self._results = results
        self._predict = predict
        self._rows_at_once = rows_at_once
        self._price = price

    def work(self, job_id: str, clock: Clock) -> Job:
        """Return the job as it ended: now, or before, if it was over already.

        Raises:
            Conflict: another worker has the job; nothing was done.
            Unavailable: too little time is left to begin; nothing was done.
            Exception: a fault that a retry may mend; the job waits for the next worker.
        """
        job = self._jobs.get(job_id)
        if job.state.final:
            return job
        if clock.left_s() < _NEEDED_S:
            raise Unavailable(f"{clock.left_s():.0f} s are too few to begin job {job_id}")
        lease_s = clock.left_s() + _LEASE_MARGIN_S
        job = self._jobs.move(job, job.start(clock.now(), lease_s))
        try:
            ended = earlier_ending(job, self._results) or self._ended(job, clock)
        except BaseException:
            self._jobs.move(job, job.released())
            raise
        return self._jobs.move(job, ended)

    def _ended(self, job: Job, clock: Clock) -> Job:
        """Run the job to its end, be it a failure; all its files stand then."""
        began_s = clock.left_s()
        try:
            if job.attempt > MAX_ATTEMPTS:
                raise OutOfTime(
                    f"the work was begun {MAX_ATTEMPTS} times and broke off each time: the file "
                    "or the model may be too large for one run"
                )
            counts, sha256 = self._run(job, clock)
        except _PERMANENT as error:
            failed = self._priced(job.failed(error.sentence, clock.now()), began_s, clock)
            return published_failure(failed, error, self._results)
        finished = job.finished(counts, clock.now(), sha256=sha256)
        return published(self._priced(finished, began_s, clock), self._results)

    def _priced(self, ended: Job, began_s: float, clock: Clock) -> Job:
        return replace(ended, cost_usd=self._price(round((began_s - clock.left_s()) * 1e9)))

    def _run(self, job: Job, clock: Clock) -> tuple[Counts, str]:
        """Write results and errors of all records; return their counts and the results' sha256."""
        if job.model is None or job.version is None:
            raise InvalidInput("the job names no version of a model")
        manifest = self._registry.manifest(job.model, job.version)
        if job.content is None:
            raise InvalidInput("the job does not say what its file is")
        wanted = Wanted(job.model, job.version, manifest.signature, job.joined)
        runs = RecordRuns(
            lambda tensors: self._predict(manifest, tensors),
            manifest.signature,
            rows_at_once=self._rows_at_once,
        )
        records, format_of_results = opened(self._inbox.open(job.source), job.content, wanted)
        prefix = job.target.prefix
        counts, watch = Counts(), ShardWatch(job, self._jobs, clock)
        with (
            self._results.writing(f"{prefix}{ERRORS}") as errors,
            self._results.writing(f"{prefix}{results_name(job)}") as results,
        ):
            for counts in shard_run.run(
                records,
                runs,
                format_of_results,
                write_results=results.write,
                write_errors=errors.write,
            ):
                watch.note(counts)
        return counts, results.sha256

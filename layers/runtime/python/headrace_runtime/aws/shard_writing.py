"""What one run writes of a shard: results and errors of consecutive records, as one part."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from headrace_runtime.aws.results_bucket import ResultsBucket, part_key
from headrace_runtime.aws.shard_watch import ShardWatch
from headrace_runtime.aws.upload import Upload
from headrace_runtime.batch import shard_run
from headrace_runtime.batch.clock import Clock
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.file_formats import UNDIVIDED, Opened, Results, Wanted
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.parts import layout_bytes
from headrace_runtime.batch.record_runs import Runs
from headrace_runtime.batch.shard import Part, Range, Shard
from headrace_runtime.batch.shard_run import Behind
from headrace_runtime.errors import OutOfTime, TooLarge
from headrace_runtime.inference.process_failures import RunCutShort
from headrace_runtime.model.manifest import Manifest

MAX_LAYOUT_BYTES = 256 << 10  # it stands in the jobs' table, whose items have 400 KB

Opener = Callable[[Job, Wanted, Range], Opened]
RunsOf = Callable[[Manifest, Shard, Clock], Runs]


@dataclass(frozen=True, slots=True)
class Written:
    """What a run wrote.

    Attributes:
        rest: what of the shard is left for another run; None if nothing is.
        held: the part's objects that are small enough to be at hand, by key.
    """

    part: Part
    rest: Range | None
    held: dict[str, bytes] = field(default_factory=dict)


class ShardWriting:
    """Reads, runs and writes ranges of records.

    Args:
        results: where parts are written.
        opener: opens a range of a job's file.
        runs_of: gives what answers a shard's records.
    """

    def __init__(self, results: ResultsBucket, *, opener: Opener, runs_of: RunsOf) -> None:
        self._results = results
        self._opener = opener
        self._runs_of = runs_of

    def write(
        self, job: Job, manifest: Manifest, shard: Shard, watch: ShardWatch, clock: Clock
    ) -> Written:
        """Work a shard as far as the time reaches, and let what is done stand as objects.

        Raises:
            InvalidInput, UnfitInput, NotFound, TooLarge: the file or the model is unfit as a whole,
                or the results have too many columns.
            OutOfTime: the results are one piece, and the time is too short for it.
        """
        known = shard.handed is not None and shard.handed.plain
        wanted = Wanted(
            manifest.model, manifest.version, manifest.signature, job.joined, values=not known
        )
        records, results = self._opener(job, wanted, shard.range)
        runs = self._runs_of(manifest, shard, clock)
        keys = [part_key(job.job_id, shard.number, shard.attempt, k) for k in ("results", "errors")]
        with self._results.writing(keys[0]) as answers, self._results.writing(keys[1]) as errors:
            sink = _Sink(answers, results, bare=bool(shard.number or shard.parts))
            run = shard_run.run(
                records, runs, results, write_results=sink.write, write_errors=errors.write
            )
            last, rest = _as_far_as(run, shard.range, watch, answers)
            if rest is not None and job.content and job.content.format in UNDIVIDED:
                raise OutOfTime(
                    f"{last.counts.rows_in:,} records were done in the time of one run, and "
                    f"results in {job.content.format} are one piece: drop NPY, CSV or less",
                    rows=last.counts.rows_in,
                )
            sink.write(results.end(last.next_row))
            layout = _bounded(results.layout())
            held = _let_stand(keys, (answers, errors))
        part = Part(
            last.counts,
            results=keys[0] if answers.size_bytes else "",
            results_bytes=answers.size_bytes,
            sha256=answers.sha256,
            errors=keys[1] if errors.size_bytes else "",
            errors_bytes=errors.size_bytes,
            layout=layout,
        )
        return Written(part, rest, held)


class _Sink:
    """Takes results; the file's first part begins with the layout, which the answers tell."""

    def __init__(self, upload: Upload, results: Results, *, bare: bool) -> None:
        self._upload = upload
        self._results = results
        self._bare = bare

    def write(self, data: bytes) -> None:
        if not self._bare:
            self._upload.write(layout_bytes(self._results.layout()))
            self._bare = True
        self._upload.write(data)


def _as_far_as(
    run: Iterator[Behind], of: Range, watch: ShardWatch, answers: Upload
) -> tuple[Behind, Range | None]:
    """Return what is behind once the run is over or should not go on, and what is left then.

    Raises:
        RunCutShort: the time was too short for a single run of the model.
    """
    last = Behind(Counts(), of.start, of.next_row)
    try:
        for last in run:
            if answers.full or not watch.goes_on(last.counts):
                return last, Range(last.origin, of.stop, last.next_row)
    except RunCutShort:
        if last.next_row == of.next_row:
            raise
        return last, Range(last.origin, of.stop, last.next_row)
    return last, None


def _bounded(layout: str) -> str:
    if len(layout) <= MAX_LAYOUT_BYTES:
        return layout
    raise TooLarge(
        "the header of the results, the input's own columns among them,",
        limit_bytes=MAX_LAYOUT_BYTES,
        got_bytes=len(layout),
        advice="drop JSON Lines or NPY, or ask for predictions alone",
    )


def _let_stand(keys: Sequence[str], uploads: Sequence[Upload]) -> dict[str, bytes]:
    """Let those objects stand that hold something; return those that are at hand."""
    held = {}
    for key, upload in zip(keys, uploads, strict=True):
        if upload.size_bytes:
            body = upload.held
            if body is not None:
                held[key] = body
            upload.complete()
    return held

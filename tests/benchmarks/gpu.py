"""Files handed off to Triton and collected, over a client that sends the same there straight.

`python -m tests.benchmarks.gpu` measures that alone. Rates are of CPU seconds of all processes
that do the work: `hand_off` and `collect`; Triton; the client. moto and what plays SageMaker's
queue count for nobody, as they are AWS.
"""

import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.local.triton.model_engine import why_not_triton
from tests.benchmarks import gpu_files
from tests.benchmarks.children import printed
from tests.benchmarks.gpu_files import IMAGES, ROWS, SHAPE
from tests.benchmarks.row_files import COLUMNS

_ROUNDS = 3
_HEAD = ("what", "stage", "infer", "collect", "together", "straight", "of straight", "aim", "peak")
_ROWS, _IMAGES = f"{ROWS:,} x {COLUMNS}", f"{IMAGES:,} x {'x'.join(map(str, SHAPE))}"


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured.

    Attributes:
        file: its name, for `gpu_files.write`.
        model: its name in `gpu_files.MODELS`.
        aim: what part of the client's rate is promised; empty where nothing is.
    """

    what: str
    file: str
    model: str
    records: int = ROWS
    aim: str = ""


CASES = (
    Case(f"CSV, {_ROWS}, 200 trees", "rows.csv", "trees", aim=">= 0.6"),
    Case(f"NPY, {_ROWS}, 200 trees", "rows.npy", "trees"),
    Case(f"CSV, {_ROWS}, 20-64-64-1 network", "rows.csv", "network"),
    Case(f"NPY, {_ROWS}, 20-64-64-1 network", "rows.npy", "network"),
    Case(f"NPY, {_IMAGES}, two convolutions", "images.npy", "convolutions", IMAGES),
)


@dataclass(frozen=True, slots=True)
class Round:
    """A file worked once, and sent straight once.

    Attributes:
        records: that have an answer.
        stage_s, infer_s, collect_s: CPU seconds of `hand_off`, Triton and `collect`.
        client_s, triton_s: those of the client, and of Triton for it.
        peaks_mb: the most memory that `hand_off` had by then, and `collect`.
    """

    records: int
    stage_s: float
    infer_s: float
    collect_s: float
    client_s: float
    triton_s: float
    peaks_mb: tuple[float, float]

    @property
    def ours_s(self) -> float:
        """Of all that has to do with the file."""
        return self.stage_s + self.infer_s + self.collect_s

    @property
    def straight_s(self) -> float:
        """Of what is sent straight."""
        return self.client_s + self.triton_s


def measured(cases: Iterable[Case] = CASES) -> dict[Case, list[Round]]:
    """Measure all of it, in turn with the client: a busy moment hits both."""
    with tempfile.TemporaryDirectory() as name:
        return {case: _rounds(case, Path(name)) for case in cases}


def markdown(found: dict[Case, list[Round]]) -> str:
    """Return a line for each case as a Markdown table: records a CPU second, the best of rounds."""
    lines = [_line(_HEAD), "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for case, rounds in found.items():
        ours = min(rounds, key=lambda one: one.ours_s)
        straight_s = min(one.straight_s for one in rounds)
        seconds = (ours.stage_s, ours.infer_s, ours.collect_s, ours.ours_s, straight_s)
        rates = [f"{ours.records / spent_s:,.0f}/s" for spent_s in seconds]
        peaks = [max(mb) for mb in zip(*(one.peaks_mb for one in rounds), strict=True)]
        peak = f"{peaks[0]:.0f}, {peaks[1]:.0f} MB"
        lines.append(_line((case.what, *rates, f"{straight_s / ours.ours_s:.2f}", case.aim, peak)))
    return "\n".join(lines)


def table() -> str:
    """Return the table, or one sentence where there is no Triton to measure."""
    why_not = why_not_triton()
    return f"Hand-off was not measured: {why_not}" if why_not else markdown(measured())


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rounds(case: Case, folder: Path) -> list[Round]:
    file, model, array = folder / case.file, folder / case.model, folder / case.file
    gpu_files.write(file, case.records)
    if file.suffix != ".npy":
        array = file.with_suffix(".npy")
        gpu_files.write(array, case.records)
    model.write_bytes(gpu_files.MODELS[case.model]())
    rounds = [Round(**one) for one in printed("gpu_work", file, model, array, _ROUNDS)]
    if any(one.records != case.records for one in rounds):
        raise RuntimeError(f"not all of {case.records:,} records were answered")
    return rounds


def main() -> None:
    """Measure, and print the table."""
    sys.stdout.write(f"{table()}\n")


if __name__ == "__main__":
    main()

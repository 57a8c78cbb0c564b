"""Large files through the code of `batch`, over the floor and beside peers: rates and memory."""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import batch_work, peer_work
from tests.benchmarks.children import PEERS, printed
from tests.benchmarks.report import Row
from tests.benchmarks.row_files import COLUMNS, ROWS, write
from tests.benchmarks.row_models import ROW_MODELS

OURS, FLOOR = "Headrace", "the model alone"
FILES = {
    "rows.csv": "CSV",
    "rows.csv.gz": "CSV, gzip",
    "lists.jsonl": "JSON Lines, arrays",
    "rows.jsonl": "JSON Lines, objects",
    "rows.npy": "NPY",
    "rows.parquet": "Parquet",
}
MODELS = {"network": "20-64-64-1 network", "trees": "200 trees"}
_PEERS = {"standard": "csv, json of Python"}
_AIMS = {
    ("network", "rows.csv"): ">= 800,000/s, <= 120 MB",
    ("network", "lists.jsonl"): ">= 400,000/s",
    ("network", "rows.jsonl"): ">= 400,000/s",
    ("network", "rows.npy"): ">= 4,000,000/s",
    ("network", "rows.parquet"): ">= 1,000,000/s",
    ("trees", "rows.csv"): "<= 1.25x",
}
_ROUNDS = 3
_CHUNKS = (1024, 4096, 8192)  # of the floor, one a round: all do well
_PEER_ROUNDS = {"network": 2, "trees": 1}  # with trees the model is most of what peers take


@dataclass(frozen=True, slots=True)
class Work:
    """A file, worked.

    Attributes:
        model: its name in ROW_MODELS.
        file: its name in FILES.
        by: OURS, FLOOR, or a peer.
        cpu_s: the least of some runs.
        peak_mb: the most of them.
    """

    model: str
    file: str
    by: str
    cpu_s: float
    peak_mb: float

    @property
    def rows_s(self) -> float:
        """Rows a CPU second."""
        return ROWS / self.cpu_s


@dataclass(frozen=True, slots=True)
class LargeFiles:
    """What was measured.

    Attributes:
        works: every file by everyone.
    """

    works: tuple[Work, ...]

    def work(self, model: str, file: str, by: str = OURS) -> Work:
        """Return somebody's work of a file."""
        return next(w for w in self.works if (w.model, w.file, w.by) == (model, file, by))

    def rows(self) -> list[Row]:
        """Return a row for each model and file."""
        return [self._row(self.work(model, file)) for model in MODELS for file in FILES]

    def _row(self, work: Work) -> Row:
        floor = self.work(work.model, work.file, FLOOR)
        return Row(
            f"{FILES[work.file]}, {ROWS:,} x {COLUMNS}, {MODELS[work.model]}",
            f"{work.rows_s:,.0f} rows/s, peak {work.peak_mb:.0f} MB",
            f"{floor.rows_s:,.0f} rows/s",
            work.cpu_s / floor.cpu_s,
            _AIMS.get((work.model, work.file), ""),
        )

    def peers(self) -> str:
        """Return everyone's work of the files that peers read as a Markdown table."""
        lines = ["| file, model | by | rows/s | peak MB | over ours |", "|---|---|---:|---:|---:|"]
        for model in MODELS:
            for file in FILES:
                works = [
                    w for w in self.works if (w.model, w.file) == (model, file) and w.by != FLOOR
                ]
                lines += _lines(works) if len(works) > 1 else []
        return "\n".join(lines)


def measured() -> LargeFiles:
    """Measure all of it: minutes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model, graph in ROW_MODELS.items():
            (folder / f"{model}.onnx").write_bytes(graph())
        works = []
        for file in FILES:
            write(folder / file)
            works += [work for model in ROW_MODELS for work in _worked(folder, file, model)]
            (folder / file).unlink()
        return LargeFiles(tuple(works))


def peers_of(file: str) -> dict[str, str]:
    """Return the peers that read a file, each with the name of the format there."""
    form = file.removeprefix("rows.")
    return {peer: form for peer, forms in peer_work.PEERS.items() if form in forms}


def peer_environment(peer: str) -> dict[str, str]:
    """Return what a peer finds in its environment; only those that are no part of ours see it."""
    apart = {"PYTHONPATH": str(PEERS)} if peer in peer_work.APART else {}
    return {**peer_work.ENVIRONMENT, **apart}


def _worked(folder: Path, file: str, model: str) -> Iterator[Work]:
    """Yield everyone's work of a file, measured in turn: a busy moment hits all."""
    runs: dict[str, list[tuple[float, float]]] = {}
    graph, target = folder / f"{model}.onnx", folder / "results"
    for number in range(_ROUNDS):
        done = printed(
            "batch_work", folder / file, graph, target, environment=batch_work.ENVIRONMENT
        )
        _note(runs, OURS, done)
        floor_s = printed("floor_work", graph, ROWS, _CHUNKS[number % len(_CHUNKS)])
        _note(runs, FLOOR, (ROWS, floor_s, 0.0))
        for peer, form in peers_of(file).items():
            if number < _PEER_ROUNDS[model]:
                command = ("peer_work", peer, form, folder / file, graph, target)
                _note(runs, peer, printed(*command, environment=peer_environment(peer)))
    for by, figures in runs.items():
        cpu_s, peak_mb = min(one[0] for one in figures), max(one[1] for one in figures)
        yield Work(model, file, by, cpu_s, peak_mb)


def _note(runs: dict[str, list[tuple[float, float]]], by: str, done: tuple[int, float, float]):
    rows, cpu_s, peak_mb = done
    if rows != ROWS:
        raise RuntimeError(f"{by} answered {rows:,} rows of {ROWS:,}")
    runs.setdefault(by, []).append((cpu_s, peak_mb))


def _lines(works: Iterable[Work]) -> list[str]:
    """Return lines for the works of one file, ours first, then the fastest."""
    ours, *peers = sorted(works, key=lambda work: (work.by != OURS, work.cpu_s))
    what = f"{FILES[ours.file]}, {MODELS[ours.model]}"
    lines = [f"| {what} | **{OURS}** | **{ours.rows_s:,.0f}** | **{ours.peak_mb:.0f}** | |"]
    for work in peers:
        share = work.rows_s / ours.rows_s
        by = _PEERS.get(work.by, work.by)
        lines.append(f"| | {by} | {work.rows_s:,.0f} | {work.peak_mb:.0f} | {share:.2f}x |")
    return lines

"""What `make bench` measures of large files works, and everyone gives the same results."""

import csv
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.benchmarks import batch_work
from tests.benchmarks.children import printed
from tests.benchmarks.large_files import (
    FILES,
    FLOOR,
    OURS,
    LargeFiles,
    Work,
    peer_environment,
    peers_of,
)
from tests.benchmarks.peer_work import APART
from tests.benchmarks.row_files import write, write_quoted
from tests.benchmarks.row_models import network, trees

ROWS = 2000
# `make test-long` installs those that nothing else needs.
BY_PEERS = [
    pytest.param(file, peer, form, marks=[pytest.mark.long] if peer in APART else [])
    for file in FILES
    for peer, form in peers_of(file).items()
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for file in FILES:
        write(folder / file, ROWS)
    (folder / "model.onnx").write_bytes(network())
    return folder


@pytest.fixture(scope="module")
def predictions(folder: Path):
    return cache(lambda file: _ours(folder, file))


def _ours(folder: Path, file: str) -> np.ndarray:
    target = folder / f"results.{file}"
    rows, cpu_s, peak_mb = printed(
        "batch_work",
        folder / file,
        folder / "model.onnx",
        target,
        environment=batch_work.ENVIRONMENT,
    )
    assert rows == ROWS
    assert 0 < cpu_s < 30
    assert peak_mb > 50
    return _predictions(target, file)


def _predictions(target: Path, file: str) -> np.ndarray:
    if file == "rows.npy":
        return np.load(target).reshape(-1)
    if file == "rows.parquet":
        table = pq.read_table(target)
        assert table.num_columns == 21
        return table["y"].to_numpy()
    lines = target.read_text().splitlines()
    if file.endswith(".jsonl"):
        return np.array([json.loads(line)["y"] for line in lines], np.float32).reshape(-1)
    header, *rows = csv.reader(lines)
    assert len(header) == 21
    return np.array([row[-1] for row in rows], np.float32)


@pytest.mark.parametrize("file", FILES)
def test_our_work_of_every_file_gives_the_same(predictions, file: str):
    assert np.allclose(predictions(file), predictions("rows.csv"), atol=1e-5)


def test_our_work_and_a_peers_run_the_trees(folder: Path, tmp_path: Path):
    model, results = tmp_path / "trees.onnx", tmp_path / "results"
    model.write_bytes(trees())
    given = []
    for work in (["batch_work"], ["peer_work", "standard", "csv"]):
        assert printed(*work, folder / "rows.csv", model, results)[0] == ROWS
        given.append(_predictions(results, "rows.csv"))

    assert np.allclose(*given, atol=1e-5)
    assert np.ptp(given[0]) > 1


@pytest.mark.parametrize(("file", "peer", "form"), BY_PEERS)
def test_a_peers_work_gives_what_ours_does(folder, predictions, tmp_path, file, peer, form):
    rows, cpu_s, _ = printed(
        "peer_work",
        peer,
        form,
        folder / file,
        folder / "model.onnx",
        tmp_path / "results",
        environment=peer_environment(peer),
    )

    assert rows == ROWS
    assert 0 < cpu_s < 30
    assert np.allclose(_predictions(tmp_path / "results", file), predictions(file), atol=1e-5)


@pytest.mark.parametrize("quoted", [False, True])
def test_a_csv_is_cut_with_quotes_and_without(tmp_path: Path, *, quoted: bool):
    file = tmp_path / "rows.csv"
    (write_quoted if quoted else write)(file, ROWS * 2)

    shards, rows, cpu_s = printed("cutting_work", file, 1 << 18)

    assert (shards, rows) == (2, ROWS * 2)
    assert 0 < cpu_s < 30
    assert file.read_text().count('"') == quoted * ROWS * 4


def test_the_floor_is_measured(folder: Path):
    assert 0 < printed("floor_work", folder / "model.onnx", ROWS, 1024) < 30


def test_the_tables_have_the_figures_of_everyone():
    ours = [Work(model, file, OURS, 2.0, 70.4) for model in ("network", "trees") for file in FILES]
    floors = [replace(work, by=FLOOR, cpu_s=1.6) for work in ours]
    peer = Work("network", "rows.csv", "pandas", 8.0, 158.0)
    files = LargeFiles((peer, *ours, *floors))

    assert files.rows()[0].cost == "500,000 rows/s, peak 70 MB"
    assert [row.ratio for row in files.rows()] == [1.25] * 12
    assert files.peers().splitlines()[2:] == [
        "| CSV, 20-64-64-1 network | **Headrace** | **500,000** | **70** | |",
        "| | pandas | 125,000 | 158 | 0.25x |",
    ]

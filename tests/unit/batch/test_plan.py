"""How large the shards of a file are."""

from dataclasses import replace

import pytest

from headrace_runtime.batch.extent import Extent
from headrace_runtime.batch.plan import lambda_shard_rows
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.model.manifest import Profile

FILE = Extent(100_000, 15_000_000, FileFormat.CSV, 8_000_000)


def rows(row_ms: float, load_ms: float = 100.0, extent: Extent = FILE) -> int:
    profile = Profile(load_ms, row_ms, 1 << 20, "1.32.0", optimise=True, row_ms=row_ms)
    return lambda_shard_rows(extent, profile)


@pytest.mark.parametrize("row_ms", [0.0, 0.001, 0.6])
def test_what_a_model_has_done_in_a_minute_is_cut_by_its_bytes(row_ms):
    assert rows(row_ms) == 0


def test_what_takes_longer_is_shared_out_by_the_minute():
    assert rows(6.0) == 10_000
    assert rows(60.0) == 1000


def test_a_model_that_loads_for_long_has_longer_shards():
    assert rows(6.0, load_ms=30_000.0) == 50_000  # 300 s each
    assert rows(6.0, load_ms=1e9) == 0


def test_there_are_not_ever_more_shards():
    assert rows(60_000.0) == 100
    assert rows(60_000.0, extent=replace(FILE, rows=200)) == 1


def test_how_long_a_file_is_counts_for_nothing_else():
    assert rows(0.6, extent=replace(FILE, rows=10**7, size_bytes=10**12)) == 100_000

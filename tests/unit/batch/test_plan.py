"""How large the shards of a file are."""

from dataclasses import replace

import pytest

from headrace_runtime.batch.extent import Extent
from headrace_runtime.batch.plan import lambda_shard_bytes
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.model.manifest import Profile

MIB = 1 << 20
FAST = Profile(100.0, 1.0, MIB, "1.32.0", optimise=True, row_ms=0.001)
FILE = Extent(100_000, 15_000_000, FileFormat.CSV, 8_000_000)


def size(row_ms: float, load_ms: float = 100.0, extent: Extent = FILE) -> int:
    profile = replace(FAST, row_ms=row_ms, load_ms=load_ms)
    return lambda_shard_bytes(extent, profile, 64 * MIB)


@pytest.mark.parametrize("row_ms", [0.001, 0.6])
def test_what_a_model_has_done_in_a_minute_is_cut_by_its_bytes(row_ms):
    assert size(row_ms) == 64 * MIB


def test_what_takes_longer_is_shared_out_by_the_minute():
    assert size(6.0) == 1_500_000  # 600 s: 10 shards
    assert size(60.0) == 150_000  # 6,000 s: 100 shards


def test_a_model_that_loads_for_long_has_longer_shards():
    assert size(6.0, load_ms=30_000.0) == 7_500_000  # 300 s each


def test_there_are_not_ever_more_shards():
    assert size(1e5) == 15_000


def test_a_long_file_has_no_larger_shards_for_it():
    long = replace(FILE, rows=10**8, size_bytes=15 * 10**9)

    assert size(0.0006, extent=long) == 64 * MIB
    assert size(0.6, extent=long) == 15_000_000


def test_what_is_compressed_is_cut_by_its_bytes():
    assert size(60.0, extent=replace(FILE, compressed=True)) == 64 * MIB

"""What a job will take, before it is begun."""

import pytest

from headrace_runtime.batch.estimate import Estimate, estimate
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.model.manifest import Profile

SMALL = Profile(
    load_ms=0.0, run_ms=0.0, peak_memory_bytes=1 << 20, onnxruntime="1.32.0", optimise=True
)
MIB = 1 << 20


@pytest.fixture
def planned():
    """Estimate 1,000,000 rows of 148 bytes, with what a test changes."""

    def made(profile: Profile = SMALL, **changed) -> Estimate:
        facts = {
            "rows": 1_000_000,
            "size_bytes": 148_000_000,
            "file_format": FileFormat.CSV,
            "shard_bytes": 64 * MIB,
            "max_concurrency": 10,
            "memory_mb": 1769,
            "price": lambda duration_ns: duration_ns / 1e9,  # 1 USD a second
        }
        return estimate(profile=profile, **(facts | changed))

    return made


def test_a_file_takes_its_shards_side_by_side(planned):
    assert planned() == Estimate(3, 3, seconds=3.3, cost_usd=pytest.approx(10.0))


def test_shards_beyond_the_concurrency_wait_for_their_turn(planned):
    assert planned(max_concurrency=2) == Estimate(3, 2, seconds=6.7, cost_usd=pytest.approx(10.0))


def test_half_a_vcpu_takes_twice_as_long_once_it_has_started(planned):
    whole, half = (
        planned(size_bytes=14_800_000_000),
        planned(size_bytes=14_800_000_000, memory_mb=1769 // 2),
    )

    rounds = -(-whole.shards // 10)
    assert half.seconds - 3 * rounds == pytest.approx(2 * (whole.seconds - 3 * rounds), rel=0.01)


def test_more_than_one_vcpu_makes_one_thread_no_faster(planned):
    assert planned(memory_mb=10_240).seconds == planned().seconds


def test_the_model_counts_by_its_run_of_one_record(planned):
    dear = Profile(2000.0, 0.3, 1 << 20, "1.32.0", optimise=True)

    # 3 s to start, 2 s to load, 1/3 s to read, 100 s to run a third of the records.
    assert planned(dear).seconds == 105.3


@pytest.mark.parametrize("file_format", [FileFormat.NPZ, FileFormat.OPEN_INFERENCE])
def test_what_is_held_whole_is_one_shard(planned, file_format):
    assert planned(file_format=file_format).shards == 1


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_every_format_has_a_rate(planned, file_format):
    assert planned(file_format=file_format).seconds > 3


def test_a_huge_file_has_larger_shards_and_not_ever_more(planned):
    assert planned(size_bytes=10**12).shards == 5000

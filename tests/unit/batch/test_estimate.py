"""What a job will take, before it is begun."""

import pytest

from headrace_runtime.batch.estimate import Estimate, by_transform, on_gpu, on_lambda
from headrace_runtime.batch.extent import Extent
from headrace_runtime.batch.gpu_prices import gpu_instance
from headrace_runtime.batch.means import GpuMeans, Means
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.model.manifest import Profile

SMALL = Profile(
    load_ms=0.0, run_ms=0.0, peak_memory_bytes=1 << 20, onnxruntime="1.32.0", optimise=True
)
HEAVY = Profile(0.0, 60.0, 1 << 20, "1.32.0", optimise=True, row_ms=6.0)
MIB = 1 << 20
G5 = gpu_instance("ml.g5.xlarge")  # 60 times a vCPU, for 1.408 USD an hour


def held(
    rows: int = 1_000_000,
    size_bytes: int = 148_000_000,
    file_format: FileFormat = FileFormat.CSV,
    tensor_bytes: int = 80_000_000,
) -> Extent:
    return Extent(rows, size_bytes, file_format, tensor_bytes)


@pytest.fixture
def planned():
    """Estimate 1,000,000 rows of 148 bytes on Lambda, with what a test changes."""

    def made(profile: Profile = SMALL, memory_mb=1769, max_concurrency=10, **changed) -> Estimate:
        means = Means(64 * MIB, max_concurrency, memory_mb, usd_per_s=1.0)
        return on_lambda(held(**changed), profile, means)

    return made


@pytest.fixture
def on_g5():
    """Estimate the same on some ml.g5.xlarge, for a model of 6 ms a record."""

    def made(instances=1, by=on_gpu, profile=HEAVY, rows_at_once=4096, **changed) -> Estimate:
        means = Means(64 * MIB, 10, 1769, usd_per_s=0.0)
        gpu = GpuMeans(G5, instances, 3600.0, 100.0, 0.0)
        return by(held(**changed), profile, means, gpu, rows_at_once=rows_at_once)

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


def test_the_model_counts_by_its_run_of_one_record_where_no_more_is_known(planned):
    dear = Profile(2000.0, 0.3, 1 << 20, "1.32.0", optimise=True)

    # 300 s are 5 shards. Each has 3 s to start, 2 s to load, 0.2 s to read, and 60 s to run.
    assert planned(dear) == Estimate(5, 5, seconds=65.2, cost_usd=pytest.approx(326.0))


def test_the_model_counts_by_what_one_more_record_costs(planned):
    # 6,000 s are 100 shards, 10 at a time. Each has 3 s to start, 0.01 s to read, and 60 s to run.
    assert planned(HEAVY) == Estimate(100, 10, seconds=630.1, cost_usd=pytest.approx(6301.0))


@pytest.mark.parametrize("file_format", [FileFormat.NPZ, FileFormat.OPEN_INFERENCE])
def test_what_is_held_whole_is_one_shard(planned, file_format):
    assert planned(file_format=file_format).shards == 1


@pytest.mark.parametrize("file_format", list(FileFormat))
def test_every_format_has_a_rate(planned, file_format):
    assert planned(file_format=file_format).seconds > 3


def test_a_huge_file_has_larger_shards_and_not_ever_more(planned):
    assert planned(size_bytes=10**12).shards == 5000


def test_a_gpu_wakes_works_and_sleeps_again(on_g5):
    # 480 s to wake; 6,000 s of a vCPU by 60 and 0.8 s of tensors; shards read and read again.
    took = on_g5()

    assert took.seconds == pytest.approx(480 + 100.8 + 2 * 3.33, abs=0.1)
    assert took.concurrency == 1
    # Paid are work, the wake, what of another one it might be, and 900 s until it sleeps; 245
    # Paid are work, the wake, and 900 s until it sleeps; 245 bodies are next to nothing.
    assert took.cost_usd == pytest.approx(
        (100.8 + 480 + 900) * 1.408 / 3600 + 245 * 13e-6, rel=1e-3
    )


def test_another_instance_wakes_where_work_lasts_as_long_as_waking(on_g5):
    one, two, many = (on_g5(instances, rows=10_000_000) for instances in (1, 2, 100))

    assert one.seconds == pytest.approx(480 + 1000.8 + 6.7, abs=0.1)
    # The first one works 480 s alone, then both have 520.8 s between them.
    assert two.seconds == pytest.approx(480 + 480 + 260.4 + 6.7, abs=0.1)
    assert many.seconds == two.seconds
    assert two.cost_usd > one.cost_usd


def test_a_transform_job_has_all_instances_from_its_begin_and_none_after_its_end(on_g5):
    took = on_g5(2, by_transform, rows=10_000_000)

    assert took.seconds == pytest.approx(480 + 500.4 + 6.7, abs=0.1)
    assert took.concurrency == 2
    assert took.cost_usd == pytest.approx(
        (1000.8 + 2 * 480) * 1.408 / 3600 + 2442 * 13e-6, rel=1e-3
    )


def test_each_request_to_a_gpu_has_its_price(on_g5):
    few, many = on_g5(), on_g5(rows_at_once=1)

    assert many.cost_usd - few.cost_usd == pytest.approx(13.0, rel=0.01)

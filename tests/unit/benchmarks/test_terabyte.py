"""What a terabyte of CSV takes, from rates."""

import math

import pytest

from tests.benchmarks.terabyte import CutRates, Rates, cut, job, joined_bytes, markdown

RATES = Rates("network", batch=150e6, digest=1e9, growth=1.0)
VCPU = 1769


def test_a_file_is_cut_as_fast_as_it_is_read_and_looked_through():
    one = cut(85e6, VCPU)

    # 85 MB/s each: of 2,550 MB a slice half a shard of 200 MB is passed twice.
    assert one.bytes_s == pytest.approx(42.5e6)
    assert one.seconds == pytest.approx(1e12 / 2450e6 * 60)
    assert one.largest_bytes == pytest.approx(5000 * 2550e6)


def test_a_quarter_of_a_vcpu_looks_through_a_quarter_as_much():
    whole, quarter = (1 / cut(40e6, memory).bytes_s - 1 / 85e6 for memory in (VCPU, VCPU / 4))

    assert quarter == pytest.approx(4 * whole)


def test_where_no_shard_is_found_within_a_slice_the_cutting_never_ends():
    assert math.isinf(cut(3e6, VCPU).seconds)


def test_a_shard_waits_reads_works_hashes_and_writes():
    done = job(RATES, cut(400e6, VCPU))

    assert (done.shards, done.shard_bytes) == (5000, 200_000_000)
    assert done.shard_s == pytest.approx(3 + 200 / 85 + 200 / 150 + 0.2 + 200 / 85)
    assert done.work_s(10) == pytest.approx(500 * done.shard_s)


def test_a_small_file_has_shards_of_64_mib():
    done = job(RATES, cut(400e6, VCPU, 10**9), 10**9)

    assert (done.shards, done.shard_bytes) == (15, 64 << 20)


def test_shards_are_worked_while_the_file_is_cut_further():
    slow, fast = cut(20e6, VCPU), cut(400e6, VCPU)
    done = job(RATES, slow)

    assert done.seconds(slow, 10) == pytest.approx(slow.seconds + done.shard_s + done.join_s)
    assert done.seconds(fast, 2) == pytest.approx(done.work_s(2) + done.join_s)


def test_results_are_joined_by_copies_alongside_each_other():
    done = job(RATES, cut(400e6, VCPU))

    assert done.join_s == pytest.approx(1e12 / 8 / 80e6)
    assert joined_bytes(RATES) == pytest.approx(900 * 8 * 80e6)


def test_money_is_time_of_functions_requests_and_units():
    cutting = cut(400e6, VCPU)
    done = job(RATES, cutting)

    # 24 parts of 8 MiB, a beginning and an end; a copy; 900 kB of nothing else.
    assert done.s3_usd == pytest.approx(
        (5000 * 26 + 5002) * 5e-6 + (10_000 + 2 * math.ceil(cutting.seconds / 60)) * 4e-7
    )
    assert done.dynamodb_usd == pytest.approx(5000 * (16 * 0.625 + 8 * 0.125) / 1e6)
    worked = (5000 * done.shard_s + done.join_s) * 1769 / 1024 * 0.0000166667
    assert done.lambda_usd == pytest.approx(worked + cutting.seconds / 2 * 0.0000166667, rel=0.01)
    assert done.usd == done.lambda_usd + done.s3_usd + done.dynamodb_usd


def test_the_tables_name_what_is_never_done_and_the_lowest_ceiling_first():
    lines = markdown([RATES], CutRates(plain=400e6, quoted=3e6)).splitlines()

    assert lines[3] == "| a quote in every row | 3 MB/s | 1 MB/s, never | 3 MB/s, never |"
    assert [line.split(" | ")[3] for line in lines[7:10]] == ["10", "100", "1,000"]
    assert lines[13] == "| uploaded by the form of `POST /jobs`: S3's limit | 0.00537 |"

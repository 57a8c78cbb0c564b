"""Where a job runs, and why."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.batch.extent import Extent
from headrace_runtime.batch.gpu_prices import gpu_instance
from headrace_runtime.batch.means import GpuMeans, Means
from headrace_runtime.batch.placement import Engine, Placement, considered, place
from headrace_runtime.batch.placement_rules import MAX_SINGLE_BODIES, Case
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.manifest import Archive, Manifest, Profile, StoredFile
from headrace_runtime.model.signature import Signature

MIB, GIB = 1 << 20, 1 << 30
MANIFEST = Manifest(
    "digits",
    1,
    "d" * 64,
    10 * MIB,
    "s3://models/digits.onnx",
    Signature((), ()),
    (),
    Profile(100.0, 5.0, 100 * MIB, "1.32.0", optimise=True, row_ms=1.0),
    "2026-11-26T00:00:00+00:00",
    archive=Archive(StoredFile("artifacts/d/model.tar.gz", "e" * 64, MIB), 1024),
    unfit_for_gpu="",
)
GPU = GpuMeans(gpu_instance("ml.g5.xlarge"), 2, 3600.0, 100.0, 0.0)
MEANS = Means(64 * MIB, 10, 1769, usd_per_s=2.88e-5, gpu=GPU)


def case(rows=1000, **changed) -> Case:
    """Return the case of a CSV with 148 bytes a row, for a model of 1 ms a row, with changes."""
    profile, gpu, deadline_s = MANIFEST.profile, GPU, changed.pop("deadline_s", None)
    size_bytes = changed.pop("size_bytes", rows * 148)
    for name in ("row_ms", "peak_memory_bytes"):
        profile = replace(profile, **{name: changed.pop(name, getattr(profile, name))})
    for name in ("cpu_limit_s", "monthly_usd", "spent_usd", "instances", "instance"):
        gpu = replace(gpu, **{name: changed.pop(name, getattr(gpu, name))})
    means = replace(MEANS, gpu=changed.pop("gpu", gpu))
    means = replace(means, max_concurrency=changed.pop("max_concurrency", 10))
    chosen = Acceleration(changed.pop("accelerator", Accelerator.AUTO))
    model_bytes = changed.pop("model_bytes", MANIFEST.size_bytes)
    manifest = replace(
        MANIFEST, profile=profile, acceleration=chosen, size_bytes=model_bytes, **changed
    )
    held = Extent(rows, size_bytes, FileFormat.CSV, rows * 80)
    return Case(held, manifest, means, deadline_s)


@pytest.mark.parametrize(
    ("rows", "engine"), [(1000, Engine.LAMBDA), (1_000_000, Engine.LAMBDA_SHARDS)]
)
def test_what_is_small_stays_on_lambda(rows, engine):
    assert place(case(rows)).engine is engine


def test_a_reason_has_what_it_takes_here_and_there():
    assert place(case()).reason == (
        "Lambda answers it in about 4 s for $0.0001, a GPU in about 486 s for $0.54"
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"accelerator": Accelerator.NEVER}, "the model is never to run on a GPU"),
        ({"gpu": None}, "this stage has none"),
        ({"spent_usd": 100.0}, "GPUs have cost $100.00 this month, and the stage allows $100.00"),
        (
            {"spent_usd": 99.0},
            (
                "GPUs have cost $99.00 this month, the stage allows $100.00, and "
                "it would cost about $3.08"
            ),
        ),
        (
            {"archive": None, "unfit_for_gpu": "it has no inputs"},
            "the model cannot run on one: it has no inputs",
        ),
        (
            {"model_bytes": 30 * GIB},
            "the model's 30,720 MB are more than ml.g5.xlarge has",
        ),
    ],
)
def test_what_may_not_go_to_a_gpu_stays_however_long_it_takes(changed, why):
    placed = place(case(10**8, **changed))

    assert placed.engine is Engine.LAMBDA_SHARDS
    assert placed.reason.endswith(f"; {why}")
    assert not placed.may_use_gpu


def test_a_model_that_asks_for_a_gpu_has_it():
    placed = place(case(accelerator=Accelerator.GPU))

    assert placed.engine is Engine.ASYNC
    assert placed.reason == "the model asks for a GPU, which answers it in about 486 s for $0.54"
    assert placed.may_use_gpu
    assert placed.gpu_row_ms == pytest.approx(1 / 60)


def test_a_model_that_asks_for_a_gpu_where_there_is_none_is_told_so():
    placed = place(case(accelerator=Accelerator.GPU, gpu=None))

    assert placed.engine is Engine.LAMBDA
    assert placed.reason == (
        "Lambda answers it in about 4 s for $0.0001; the model asks for a GPU, but this stage has "
        "none"
    )
    assert placed.gpu_row_ms == 0.0


def test_a_model_that_is_too_large_for_lambda_and_has_no_gpu_is_said_to_fail():
    placed = place(case(accelerator=Accelerator.GPU, gpu=None, peak_memory_bytes=2 * GIB))

    assert placed.engine is Engine.LAMBDA
    assert placed.reason == (
        "Lambda will fail it, as the model takes 2,048 MB of memory as it runs, and a function has "
        "1,257 MB for it; the model asks for a GPU, but this stage has none"
    )


def test_a_model_that_is_too_large_for_lambda_goes_to_a_gpu():
    placed = place(case(peak_memory_bytes=2 * GIB))

    assert placed.engine is Engine.ASYNC
    assert placed.reason == (
        "the model takes 2,048 MB of memory as it runs, and a function has 1,257 MB for it"
    )


def test_more_vcpu_seconds_than_the_stage_allows_go_to_a_gpu():
    at_the_limit, above = place(case(3_600_000)), place(case(3_600_001))

    assert not at_the_limit.engine.on_gpu
    assert above.engine is Engine.ASYNC
    assert above.reason == (
        "3,600,001 records of 1 ms are 3,600 s of a vCPU, above the stage's limit of 3,600 s"
    )


def test_a_gpu_that_is_cheaper_has_the_job():
    # 100,000 s of a vCPU and 1,000 starts cost 2.97 on Lambda, 1,667 s of an instance and its
    # wake 1.21.
    placed = place(case(1_000_000, row_ms=100.0, cpu_limit_s=1e7, instances=1))

    assert placed.engine is Engine.ASYNC
    assert placed.reason == "a GPU costs about $1.21, Lambda $2.97"


def test_a_deadline_that_only_a_gpu_meets_has_the_job_there():
    # 9,000 s of a vCPU in 150 shards.
    slow = {"rows": 3_000_000, "row_ms": 3.0, "cpu_limit_s": 1e4}

    assert place(case(**slow, deadline_s=3600)).engine is Engine.LAMBDA_SHARDS
    placed = place(case(**slow, deadline_s=900))
    assert placed.engine is Engine.ASYNC
    assert placed.reason == (
        "Lambda takes about 947 s, a GPU 639 s, and it should have ended in 900 s"
    )


def test_a_deadline_that_only_lambda_meets_keeps_the_job_there():
    long = {"rows": 10_000_000, "row_ms": 1.0}  # 10,000 s of a vCPU in 167 shards

    assert place(case(**long, max_concurrency=100)).engine is Engine.ASYNC
    placed = place(case(**long, max_concurrency=100, deadline_s=480))
    assert placed.engine is Engine.LAMBDA_SHARDS
    assert placed.reason == (
        "Lambda takes about 126 s, a GPU 662 s, and it should have ended in 480 s"
    )


def test_of_a_deadline_that_nothing_meets_the_sooner_one_makes_the_best():
    assert place(case(10, deadline_s=1)).engine is Engine.LAMBDA
    assert place(case(3_000_000, row_ms=3.0, deadline_s=1)).engine is Engine.ASYNC


def test_a_model_of_one_record_a_run_has_few_records_on_a_gpu_by_itself():
    single = {"archive": replace(MANIFEST.archive, rows_at_once=1), "row_ms": 1000.0}
    few, many = (place(case(rows, **single)) for rows in (MAX_SINGLE_BODIES, MAX_SINGLE_BODIES + 1))

    assert few.engine is Engine.ASYNC
    assert not many.engine.on_gpu
    assert many.may_use_gpu
    assert many.reason.endswith("; it takes one record a run, which were 10,001 requests to a GPU")
    assert place(case(10**6, accelerator=Accelerator.GPU, **single)).engine.on_gpu


@pytest.mark.parametrize(
    ("changed", "engine"),
    [
        ({"rows": 125_000_000, "size_bytes": 10**9}, Engine.ASYNC),  # 10 GB of tensors
        ({"rows": 125_000_001, "size_bytes": 10**9}, Engine.TRANSFORM),
        ({"rows": 1000, "size_bytes": 200 * 64 * MIB}, Engine.ASYNC),  # 200 shards
        ({"rows": 1000, "size_bytes": 201 * 64 * MIB}, Engine.TRANSFORM),
        # Batch transform does not take these.
        (
            {"rows": 1000, "size_bytes": 1 << 40, "instance": gpu_instance("ml.p4d.24xlarge")},
            Engine.ASYNC,
        ),
    ],
)
def test_what_is_huge_is_one_transform_job(changed, engine):
    assert place(case(accelerator=Accelerator.GPU, **changed)).engine is engine


def test_what_was_considered_has_both_where_a_gpu_may_be():
    assert list(considered(case())) == [Engine.LAMBDA, Engine.ASYNC]
    assert list(considered(case(gpu=None))) == [Engine.LAMBDA]
    assert list(considered(case(10**9))) == [Engine.LAMBDA_SHARDS, Engine.TRANSFORM]


def test_all_that_decided_stands_in_the_inputs():
    assert dict(place(case(deadline_s=600)).inputs) == {
        "rows": 1000,
        "rows_are": "estimated",
        "size_bytes": 148_000,
        "tensor_bytes": 80_000,
        "format": "csv",
        "accelerator": "auto",
        "model_bytes": 10 * MIB,
        "peak_memory_bytes": 100 * MIB,
        "load_ms": 100.0,
        "row_ms": 1.0,
        "model_s": 1.0,
        "shards": 1,
        "max_concurrency": 10,
        "memory_mb": 1769,
        "lambda_s": 4.1,
        "lambda_usd": 0.000118,
        "deadline_s": 600,
        "rows_at_once": 1024,
        "gpu_instance": "ml.g5.xlarge",
        "gpu_instances": 2,
        "gpu_speed": 60,
        "gpu_usd_per_hour": 1.408,
        "gpu_priced": "us-east-1, 2026-08",
        "gpu_cpu_limit_s": 3600.0,
        "gpu_monthly_usd": 100.0,
        "gpu_spent_usd": 0.0,
        "gpu_s": 486.0,
        "gpu_usd": 0.539945,
    }


def test_a_job_that_goes_on_elsewhere_keeps_what_was_known():
    placed = place(case(1_000_000))

    again = placed.rerouted("a shard would have taken 30 runs")

    assert again.engine is Engine.ASYNC
    assert again.reason == "a shard would have taken 30 runs"
    assert again.inputs == placed.inputs


CASES = st.builds(
    case,
    rows=st.integers(1, 10**8),
    size_bytes=st.integers(1, 10**11),
    row_ms=st.floats(0.0001, 1e4),
    peak_memory_bytes=st.integers(0, 4 * GIB),
    accelerator=st.sampled_from(Accelerator),
    cpu_limit_s=st.floats(1, 1e7),
    instances=st.integers(1, 100),
    spent_usd=st.floats(0, 200),
    max_concurrency=st.integers(2, 1000),
    instance=st.sampled_from(
        [gpu_instance(name) for name in ("ml.g4dn.xlarge", "ml.g6.xlarge", "ml.p4d.24xlarge", "x")]
    ),
    deadline_s=st.none() | st.integers(1, 604_800),
)


@given(CASES)
def test_never_is_never(it):
    choice = Acceleration(Accelerator.NEVER)
    placed = place(replace(it, manifest=replace(it.manifest, acceleration=choice)))

    assert not placed.engine.on_gpu
    assert not placed.may_use_gpu


@given(CASES)
def test_a_stage_without_gpus_has_none(it):
    without = replace(it, means=replace(it.means, gpu=None))

    assert not place(without).engine.on_gpu


@given(CASES, st.integers(1, 10**9))
def test_once_on_a_gpu_more_records_stay_there(it, more):
    gpu = it.means.gpu and replace(it.means.gpu, monthly_usd=1e15)
    timeless = replace(it, deadline_s=None, means=replace(it.means, gpu=gpu))
    longer = replace(timeless, extent=replace(it.extent, rows=it.extent.rows + more))

    assert place(longer).engine.on_gpu or not place(timeless).engine.on_gpu


@given(CASES)
def test_the_same_is_placed_the_same_way_and_read_back_as_it_was_written(it):
    placed = place(it)

    assert placed == place(it)
    assert Placement.from_dict(json.loads(json.dumps(placed.to_dict()))) == placed
    assert hash(placed) == hash(place(it))


@given(CASES)
def test_what_is_chosen_was_considered(it):
    assert place(it).engine in considered(it)

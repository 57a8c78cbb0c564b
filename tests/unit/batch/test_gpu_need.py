"""Which versions need something of SageMaker."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from headrace_runtime.batch.gpu_need import Need, needs
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.placement import Engine, Placement
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.model.acceleration import Acceleration, Accelerator
from headrace_runtime.model.alias import Alias, Canary
from headrace_runtime.model.manifest import Archive, Manifest, Profile, StoredFile
from tests import onnx_models

EARLY, LATE = "2026-11-26T10:00:00+00:00", "2026-11-26T11:00:00+00:00"
KEY = "artifacts/a/model.tar.gz"
ARCHIVE = Archive(StoredFile(KEY, "a" * 64, 1), rows_at_once=64)


def manifest(version: int, acceleration: Acceleration, archive: Archive | None) -> Manifest:
    return Manifest(
        model="wine",
        version=version,
        digest="d" * 64,
        size_bytes=1,
        origin="s3://models/models/wine/a.onnx?versionId=1",
        signature=onnx_models.linear_signature(),
        files=(),
        profile=Profile(1.0, 0.1, 1 << 20, "1.32.0", optimise=True),
        registered_at=EARLY,
        acceleration=acceleration,
        archive=archive,
    )


def job(version: int, engine: Engine = Engine.ASYNC, created_at: str = EARLY) -> Job:
    return Job(
        job_id=f"{version}-{engine}-{created_at}",
        source=Source("inbox", "wine/a.csv", None, "e", 1),
        target=Target("results", "wine/a.csv/"),
        created_at=created_at,
        model="wine",
        version=version,
        digest="d" * 64,
        placement=Placement(engine, "why"),
    )


def needed(
    *aliases: Alias,
    jobs: Sequence[Job] = (),
    acceleration: Acceleration = Acceleration(),  # noqa: B008 - a value that never changes
    archive: Archive | None = ARCHIVE,
) -> list[Need]:
    """Return the needs of versions 1 to 3, of which all facts are the same."""

    def of(_: str, version: int) -> Manifest | None:
        return manifest(version, acceleration, archive) if version <= 3 else None

    return list(needs({"wine": aliases}, jobs, of).values())


def test_what_an_alias_or_its_canary_names_needs_an_endpoint_once() -> None:
    live, tried = Alias("live", 1, Canary(2, 0.1)), Alias("tried", 2)

    assert needed(live, tried) == [Need("wine", 1, KEY), Need("wine", 2, KEY)]


def test_what_a_job_waits_for_comes_first_and_with_its_oldest_job() -> None:
    jobs = [job(3, created_at=LATE), job(3), job(2, Engine.TRANSFORM, LATE)]

    assert needed(Alias("live", 1), jobs=jobs) == [
        Need("wine", 2, KEY, asynchronous=False, oldest_job=LATE),
        Need("wine", 3, KEY, oldest_job=EARLY, awaited=True),
        Need("wine", 1, KEY),
    ]


def test_jobs_that_ended_or_run_on_lambda_need_nothing() -> None:
    ended = job(2).failed("over", datetime(2026, 11, 26, tzinfo=UTC))
    unplaced = replace(job(3), placement=None)

    assert needed(jobs=[ended, job(1, Engine.LAMBDA), job(2, Engine.LAMBDA_SHARDS), unplaced]) == []


def test_a_realtime_version_needs_an_endpoint_that_answers_at_once_where_an_alias_names_it() -> (
    None
):
    realtime = Acceleration(realtime=True)

    found = needed(Alias("live", 1), jobs=[job(2)], acceleration=realtime)

    assert [(need.version, need.realtime) for need in found] == [(2, False), (1, True)]


@pytest.mark.parametrize(
    ("acceleration", "archive"),
    [(Acceleration(Accelerator.NEVER), ARCHIVE), (Acceleration(Accelerator.GPU), None)],
)
def test_what_may_not_or_cannot_run_on_a_gpu_needs_nothing(
    acceleration: Acceleration, archive: Archive | None
) -> None:
    assert needed(Alias("live", 1), acceleration=acceleration, archive=archive) == []


def test_a_version_that_there_is_not_needs_nothing() -> None:
    assert needed(Alias("live", 4)) == []


def test_endpoints_are_called_as_the_sagemaker_model_is() -> None:
    assert Need("wine", 1, KEY, realtime=True).endpoints("n") == {"n": False, "n-rt": True}
    assert Need("wine", 1, KEY, asynchronous=False).endpoints("n") == {}

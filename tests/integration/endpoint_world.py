"""A world in which endpoints follow the registry: what is published, what SageMaker has."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.lone_run import LoneRun
from headrace_runtime.aws.provisioning import Report, provisioning_of
from headrace_runtime.aws.registration import Registration
from headrace_runtime.aws.registry import Registry
from headrace_runtime.aws.run_lease import RunLease
from headrace_runtime.batch.clock import Clock, Slice
from headrace_runtime.batch.job import Job, Source, Target
from headrace_runtime.batch.placement import Engine, Placement
from headrace_runtime.model.acceleration import UNCHOSEN, Acceleration
from headrace_runtime.model.alias import LIVE, Alias, Canary
from headrace_runtime.model.endpoint import Endpoint, Endpoints
from headrace_runtime.work_settings import ProvisionSettings
from tests import onnx_models, worlds
from tests.conftest import SETTINGS

REALTIME = Acceleration(realtime=True)
WRITES = ("Create", "Delete", "Deregister", "Put", "Register", "Update")
CLIENTS = ("dynamodb", "sagemaker", "application-autoscaling", "cloudwatch")


class Crash(BaseException):
    """A run is killed: nothing of it reaches AWS any more."""


def settings(**changed: Any) -> ProvisionSettings:
    """Return the tests' settings, some of them changed."""
    return ProvisionSettings(**SETTINGS["provision"].__dict__ | changed)


def publish(
    model: str = "wine",
    *,
    versions: int = 1,
    acceleration: Acceleration = UNCHOSEN,
    archive: bool = True,
) -> None:
    """Register versions that may run on a GPU; `live` points to the first."""
    signature = onnx_models.linear_signature()
    for number in range(1, versions + 1):
        graph = f"{model} {number}".encode()
        worlds.publish(model, graph, signature, acceleration=acceleration, archive=archive)


def move(version: int, canary: Canary | None = None, *, model: str = "wine") -> None:
    """Move `live`."""
    registration = Registration("registry", dynamodb=boto3.client("dynamodb"))

    def to(old: Alias | None) -> Alias:
        assert old is not None
        return old.moved(version, canary)

    registration.change(model, LIVE, to)


def work(
    version: int,
    engine: Engine = Engine.ASYNC,
    *,
    at: datetime,
    job_id: str = "job",
    model: str = "wine",
) -> None:
    """Make a job that has not ended."""
    job = Job(
        job_id=job_id,
        source=Source("inbox", "wine/rows.csv", None, "e", 1),
        target=Target("results", "wine/rows.csv/job/"),
        created_at=at.isoformat(),
        model=model,
        version=version,
        digest="d" * 64,
        placement=Placement(engine, "it is large"),
    )
    Jobs("jobs", dynamodb=boto3.client("dynamodb")).create(job)


def end(job_id: str = "job") -> None:
    """Let a job end."""
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    jobs.change(job_id, lambda job: job.failed("it is over", datetime.now(UTC)))


def registered(version: int = 1, model: str = "wine") -> Endpoints | None:
    """Return what the registry says that SageMaker has."""
    return Registry("registry", dynamodb=boto3.client("dynamodb")).endpoints(model, version)


def asynchronous(version: int = 1) -> Endpoint:
    """Return the endpoint of `wine` that takes bodies through S3, as the registry has it."""
    there = registered(version)
    assert there is not None
    assert there.asynchronous is not None
    return there.asynchronous


class World:
    """Runs of `provision`, whose clients may die, and whose SageMaker may tell what it likes."""

    def __init__(self, **changed: Any) -> None:
        self.now = datetime.now(UTC)
        self.errors: list[Exception] = []
        self.calls: list[str] = []
        self.told: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, Exception] = {}
        self._dies_after: int | None = None
        self.clients = {name: boto3.client(name) for name in CLIENTS}
        for client in self.clients.values():
            client.meta.events.register("before-call", self._begin)
            client.meta.events.register("after-call", self._end)
        events = self.clients["sagemaker"].meta.events
        events.register("after-call.sagemaker.DescribeEndpoint", self._tell)
        self.provisioning = provisioning_of(
            settings(**changed),
            dynamodb=self.clients["dynamodb"],
            sagemaker=self.clients["sagemaker"],
            autoscaling=self.clients["application-autoscaling"],
            cloudwatch=self.clients["cloudwatch"],
        )

    def run(self, *, minutes: float = 0) -> Report:
        """Let time pass, and run once."""
        self.now += timedelta(minutes=minutes)
        time = Slice(lambda: 60.0)
        return self.provisioning.run(self.now, time, lambda error, _: self.errors.append(error))

    def woken(self, run: str = "one", *, left_s: float = 60.0) -> list[Report]:
        """Run as `provision` does, by itself."""
        lone = LoneRun(self.provisioning, RunLease("jobs", dynamodb=self.clients["dynamodb"]))
        clock = Clock(lambda: self.now, lambda: left_s)
        return lone.reports(run, clock, lambda error, _: self.errors.append(error))

    def settle(self) -> None:
        """Run until a run finds nothing to do."""
        for _ in range(10):
            if not self.run().done:
                return
        raise AssertionError("it never is quiet")

    @contextmanager
    def dying_after(self, write: int) -> Iterator[None]:
        """Let the run die once AWS has its so-many-th write; before that, nothing is lost."""
        self.calls.clear()
        self._dies_after = write
        try:
            yield
        finally:
            self._dies_after = None

    def _begin(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        if model.name in self.refused:
            raise self.refused[model.name]

    def _end(self, **_: Any) -> None:
        writes = [call for call in self.calls if call.startswith(WRITES)]
        if self._dies_after is not None and len(writes) >= self._dies_after:
            raise Crash

    def _tell(self, parsed: dict[str, Any], **_: Any) -> None:
        parsed.update(self.told.get(parsed.get("EndpointName", ""), {}))


def standing() -> dict[str, list[str]]:
    """Return the names of all that stands, by its kind."""
    sagemaker, cloudwatch = boto3.client("sagemaker"), boto3.client("cloudwatch")
    scaling = boto3.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")
    return {
        "models": sorted(m["ModelName"] for m in sagemaker.list_models()["Models"]),
        "configs": sorted(
            c["EndpointConfigName"] for c in sagemaker.list_endpoint_configs()["EndpointConfigs"]
        ),
        "endpoints": sorted(e["EndpointName"] for e in sagemaker.list_endpoints()["Endpoints"]),
        "targets": sorted(
            f"{t['ResourceId']} {t['MinCapacity']}-{t['MaxCapacity']}"
            for t in targets["ScalableTargets"]
        ),
        "policies": sorted(
            f"{p['ResourceId']} {p['PolicyName']}" for p in policies["ScalingPolicies"]
        ),
        "alarms": sorted(a["AlarmName"] for a in cloudwatch.describe_alarms()["MetricAlarms"]),
    }


NOTHING: dict[str, list[str]] = {
    kind: [] for kind in ("models", "configs", "endpoints", "targets", "policies", "alarms")
}

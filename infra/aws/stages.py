"""The stages there are: `make deploy STAGE=prod` takes its values from here."""

from collections.abc import Mapping

from infra.aws.gpu_work import GpuWork
from infra.aws.stage import Stage
from infra.aws.stage_parts import AlarmThresholds, CodeCanary, SnapStart

DEFAULT = "dev"

STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="local",
            code_canary=None,
            log_level="INFO",
            log_retention_days=7,
            private_webhooks=True,
            # So low a limit that a laptop shows, too, what becomes of a job that passes it.
            gpu=GpuWork(instance_types=("ml.g5.xlarge",), cpu_limit_s=1),
        ),
        # GPUs are off where nothing is said of them: docs/running.md tells what they cost, and
        # which quota of instances the account must have. `gpu=GpuWork()` turns them on.
        Stage(name="dev", log_retention_days=14, inbox_days=7, results_days=7),
        Stage(
            name="prod",
            # A snapshot's disk holds less: larger models want ProvisionedConcurrency, or nothing.
            warm=SnapStart(),
            predict_disk_mb=512,
            max_model_mb=256,
            log_retention_days=90,
            tracing=True,
            throttle_rate_per_s=500,
            throttle_burst=1000,
            code_canary=CodeCanary(percent=10, minutes=10),
            alarms=AlarmThresholds(latency_ms=2000),
            monthly_budget_usd=100,
        ),
    )
}


def stage_named(name: str | None) -> Stage:
    """Return a stage by its name, `dev` if none is given.

    Raises:
        ValueError: there is no such stage; the text names all there are.
    """
    if name is None:
        name = DEFAULT
    if name not in STAGES:
        message = f"There is no stage {name!r}; there are {', '.join(STAGES)}."
        raise ValueError(message)
    return STAGES[name]

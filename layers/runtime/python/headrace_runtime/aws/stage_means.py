"""What the stage has now for the records of a job."""

from datetime import datetime
from typing import TYPE_CHECKING

from headrace_runtime.aws.gpu_meter import GpuMeter
from headrace_runtime.batch.means import Means, means_of
from headrace_runtime.monitoring.cost import Price
from headrace_runtime.settings import SubmitSettings
from headrace_runtime.work_settings import IntakeSettings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SECOND_NS = 10**9


def means_now(
    settings: SubmitSettings | IntakeSettings, now: datetime, *, dynamodb: "DynamoDBClient"
) -> Means:
    """Return what the stage has; what GPUs have cost is asked only where it has some.

    Args:
        settings: the function's.
        now: the time, UTC.
        dynamodb: holds the meter, in the jobs' table.
    """
    spent_usd = 0.0
    if settings.gpu_instance_type:
        spent_usd = GpuMeter(settings.jobs_table, dynamodb=dynamodb).spent_usd(now)
    usd_per_s = Price(settings.batch_memory_mb).usd(_SECOND_NS)
    return means_of(settings, usd_per_s=usd_per_s, spent_usd=spent_usd)

"""What SageMaker tells of an invocation or a transform job: at least once, late, or never."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace_runtime.batch.handed import BodyName
from headrace_runtime.errors import InvalidInput

_COMPLETED = "Completed"


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of a body.

    Attributes:
        failure: why it failed or expired, in SageMaker's words; "" where it has an output.
    """

    name: BodyName
    failure: str


def notice_of(message: Mapping[str, Any]) -> Notice | None:
    """Return what the message of a topic says; None if it is of nothing of ours.

    A failure has no `responseParameters`, an expiry perhaps no reason: what counts is the status.
    """
    status, inference_id = message.get("invocationStatus"), message.get("inferenceId")
    if not isinstance(status, str) or not isinstance(inference_id, str):
        return None
    try:
        name = BodyName.of(inference_id)
    except InvalidInput:
        return None
    if status == _COMPLETED:
        return Notice(name, "")
    return Notice(name, str(message.get("failureReason") or status))


def ended_job_of(event: Mapping[str, Any]) -> str | None:
    """Return the id of the job of ours whose end an event tells of; None if it tells of none."""
    detail = event.get("detail")
    if event.get("detail-type") != "Job Ended" or not isinstance(detail, dict):
        return None
    job_id = detail.get("job_id")
    return job_id if isinstance(job_id, str) else None


def transform_job_of(event: Mapping[str, Any]) -> str | None:
    """Return the name of the transform job that an event tells of; None if it tells of none."""
    detail = event.get("detail")
    if event.get("detail-type") != "SageMaker Transform Job State Change":
        return None
    name = detail.get("TransformJobName") if isinstance(detail, dict) else None
    return name if isinstance(name, str) else None

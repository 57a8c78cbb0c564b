"""Transform jobs that take their time, and can be stopped.

What is relied on: `SageMakerModelBackend.create_transform_job` keeps a job by its name in
`transform_jobs`, completed at once; attributes of a job that are None are not described; an
action is a method of `SageMakerResponse`, found by its name.
"""

from typing import Any

from moto.core.responses import EmptyResult
from moto.core.utils import get_service_model
from moto.sagemaker.exceptions import ResourceInUseException, ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from infra.local.moto_internals.sagemaker_channel import tell_of_a_change

_MAX_PAYLOAD_MB = 100


def run_transform_jobs_as_sagemaker_does() -> None:
    """Let a transform job be in progress until it is reported ended, and a name be used once."""
    create = SageMakerModelBackend.create_transform_job

    def created(backend: Any, *args: Any, **named: Any) -> Any:
        _check(backend, named)
        job: Any = create(backend, *args, **named)
        job.transform_job_status = "InProgress"
        job.failure_reason = job.labeling_job_arn = job.auto_ml_job_arn = None
        job.tags = job.tags or []  # or to list them fails
        job.transform_start_time = job.transform_end_time = None
        tell_of_a_change()
        return job

    SageMakerModelBackend.create_transform_job = created  # type: ignore[method-assign,assignment]
    SageMakerResponse.stop_transform_job = _stop_transform_job  # type: ignore[attr-defined]


def _check(backend: Any, asked: dict[str, Any]) -> None:
    name = asked["transform_job_name"]
    if name in backend.transform_jobs:
        raise ResourceInUseException(
            message="Job name must be unique within an AWS account and region, and a job with "
            f"this name already exists ({backend.transform_jobs[name].arn})."
        )
    backend.describe_model(asked["model_name"])
    shape: Any = get_service_model("sagemaker").shape_for("TransformInstanceType")
    if asked["transform_resources"]["InstanceType"] not in shape.enum:
        raise ValidationError(message=f"Transform jobs run on one of {shape.enum}.")
    payload_mb = asked["max_payload_in_mb"]
    payload_mb = 6 if payload_mb is None else int(payload_mb)
    concurrent = int(asked["max_concurrent_transforms"] or 1)
    if payload_mb > _MAX_PAYLOAD_MB or payload_mb * concurrent > _MAX_PAYLOAD_MB:
        raise ValidationError(
            message="MaxPayloadInMB, and MaxConcurrentTransforms times it, must be at most 100."
        )


def _stop_transform_job(response: Any) -> EmptyResult:
    name = response._get_param("TransformJobName")  # noqa: SLF001 - what this module is for
    backend = response.sagemaker_backend
    status = backend.describe_transform_job(transform_job_name=name)["TransformJobStatus"]
    if status != "InProgress":
        raise ValidationError(
            message=f"The request was rejected because the transform job is in status {status}."
        )
    backend.transform_jobs[name].transform_job_status = "Stopping"
    tell_of_a_change()
    return EmptyResult()

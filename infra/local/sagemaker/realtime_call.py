"""A call that is answered at once, and the errors that SageMaker makes of what goes wrong."""

from infra.local.sagemaker.container_call import (
    ContainerAnswer,
    ContainerFailed,
    ContainerTimedOut,
    invoke_container,
)
from infra.local.sagemaker.endpoint import Endpoint
from infra.local.sagemaker.refusals import Refusal

TIMEOUT_S = 60
_UNBOUNDED = 1 << 30
_LOGS = "arn:aws:logs:{region}:123456789012:log-group:/aws/sagemaker/Endpoints/{endpoint}"


def call_at_once(
    endpoint: Endpoint, body: bytes, headers: dict[str, str], *, region: str, second_s: float
) -> ContainerAnswer:
    """Return what a container of an endpoint answers within a minute.

    Raises:
        Refusal: there is no container, it failed, or it took longer.
    """
    fleet = endpoint.fleet
    instance = fleet.take(_UNBOUNDED)
    if instance is None or instance.container is None:
        if fleet.count:
            raise Refusal("ModelNotReadyException", "The model is not ready. Try again.")
        raise Refusal("ServiceUnavailable", "The endpoint has no instance.")
    try:
        answer = invoke_container(
            instance.container.url,
            body=body,
            size_bytes=len(body),
            headers=headers,
            timeout_s=TIMEOUT_S * second_s,
        )
    except ContainerTimedOut:
        detail = "Your invocation timed out while waiting for a response from container primary."
        raise _model_error(endpoint.hosted.name, 0, detail, region) from None
    except ContainerFailed as error:
        fleet.look_after(instance)
        raise _model_error(endpoint.hosted.name, 0, str(error), region) from error
    finally:
        fleet.give_back(instance)
    if not answer.is_ok:
        with answer.body:
            raise _model_error(endpoint.hosted.name, answer.status, answer.text(), region)
    return answer


def _model_error(endpoint: str, status: int, detail: str, region: str) -> Refusal:
    whose = "client" if 400 <= status < 500 else "server"
    return Refusal(
        "ModelError",
        f'Received {whose} error ({status}) from primary with message "{detail}". '
        f"See the log group /aws/sagemaker/Endpoints/{endpoint} for more information.",
        OriginalStatusCode=status,
        OriginalMessage=detail,
        LogStreamArn=_LOGS.format(region=region, endpoint=endpoint),
    )

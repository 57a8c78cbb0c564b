"""What SageMaker tells of an asynchronous invocation, over SNS.

Shapes: messages logged by others, see also docs.aws.amazon.com/sagemaker/latest/dg/
async-inference-check-predictions.html. The inference itself is never part of one here, which a
config could ask for.
"""

from datetime import datetime
from typing import Any

from infra.local.sagemaker.backlog import Invocation
from infra.local.sagemaker.s3_location import S3Location


def completed(
    invocation: Invocation, region: str, now: datetime, *, content_type: str
) -> dict[str, Any]:
    """Return the notice of an inference whose output is there."""
    response = {"contentType": content_type, "outputLocation": str(invocation.output)}
    return _notice(invocation, region, now, "Completed", {"responseParameters": response})


def failed(invocation: Invocation, region: str, now: datetime, *, reason: str) -> dict[str, Any]:
    """Return the notice of one that there will be no output of."""
    return _notice(invocation, region, now, "Failed", {"failureReason": reason})


def expired(invocation: Invocation, region: str, now: datetime) -> dict[str, Any]:
    """Return the notice of a request that waited for too long."""
    reason = "ClientError: The request expired in the queue, after RequestTTLSeconds."
    return _notice(invocation, region, now, "Expired", {"failureReason": reason})


def _notice(
    invocation: Invocation, region: str, now: datetime, status: str, outcome: dict[str, Any]
) -> dict[str, Any]:
    request = invocation.request
    source = request.source if isinstance(request.source, S3Location) else None
    parameters = {
        "accept": request.accept,
        "contentType": request.content_type,
        "endpointName": invocation.endpoint,
        "inputLocation": str(source) if source else None,
    }
    return {
        "awsRegion": region,
        "eventTime": _text(now),
        "receivedTime": _text(invocation.received),
        "invocationStatus": status,
        **outcome,
        "requestParameters": {name: value for name, value in parameters.items() if value},
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _text(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")

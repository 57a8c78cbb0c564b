"""What SageMaker tells EventBridge, on the default bus, when a state changes."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.control_plane import ControlPlane

_ENDPOINT = (
    "EndpointName",
    "EndpointArn",
    "EndpointConfigName",
    "ProductionVariants",
    "FailureReason",
    "CreationTime",
    "LastModifiedTime",
)
_TRANSFORM = (
    "TransformJobName",
    "TransformJobArn",
    "TransformJobStatus",
    "FailureReason",
    "ModelName",
    "MaxConcurrentTransforms",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "TransformResources",
    "CreationTime",
    "TransformStartTime",
    "TransformEndTime",
)
# Only these statuses of an endpoint are written apart from how DescribeEndpoint writes them.
_UPPER = {"InService": "IN_SERVICE", "RollingBack": "ROLLING_BACK"}

_log = logging.getLogger(__name__)


class StateEvents:
    """Sends events."""

    def __init__(self, clients: CloudClients, control: ControlPlane) -> None:
        self._clients, self._control = clients, control

    def endpoint(self, name: str) -> None:
        """Tell an endpoint's status."""
        try:
            described = self._control.describe("endpoint", name)
            status = described["EndpointStatus"]
            detail = _members(described, _ENDPOINT)
            detail["EndpointStatus"] = _UPPER.get(status, status.upper())
            self._send("SageMaker Endpoint State Change", described["EndpointArn"], detail)
        except (ClientError, BotoCoreError):
            _log.warning("could not tell of endpoint %s", name, exc_info=True)

    def transform_job(self, name: str) -> None:
        """Tell a transform job's status."""
        try:
            described = self._control.describe("transform_job", name)
            detail = _members(described, _TRANSFORM)
            self._send("SageMaker Transform Job State Change", described["TransformJobArn"], detail)
        except (ClientError, BotoCoreError):
            _log.warning("could not tell of transform job %s", name, exc_info=True)

    def _send(self, kind: str, arn: str, detail: dict[str, Any]) -> None:
        entry = {
            "Source": "aws.sagemaker",
            "DetailType": kind,
            "Resources": [arn],
            "Detail": json.dumps(detail | {"Tags": self._control.tags(arn)}),
        }
        self._clients.client("events").put_events(Entries=[entry])


def _members(described: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    told = {name: described[name] for name in names if name in described}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in told.items()
    }

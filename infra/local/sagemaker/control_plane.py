"""SageMaker's control plane, which moto keeps: what it was told, and how far that has come."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.hosted import HostedEndpoint, Scaling

_CHANNEL = "/moto-api/headrace/sagemaker"  # see infra.local.moto_internals.sagemaker_channel
_PATIENCE_S = 20
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_WAKING = "HasBacklogWithoutCapacity"
_BACKLOG = "ApproximateBacklogSizePerInstance"


class ControlPlaneLost(Exception):
    """moto does not answer: it has ended."""


class ControlPlane:
    """Reads by SageMaker's own API, and reports through moto's channel."""

    def __init__(self, clients: CloudClients) -> None:
        self._clients = clients
        self._address = urlsplit(clients.url).netloc

    @property
    def _sagemaker(self) -> Any:
        return self._clients.client("sagemaker")

    def await_change(self, seen: int) -> int:
        """Return the count of changes once it is not *seen*, or after a while.

        Raises:
            ControlPlaneLost: there will be none.
        """
        query = f"{_CHANNEL}?after={seen}&wait_s={_PATIENCE_S}"
        _, answer = self._ask("GET", query, None, _PATIENCE_S + 10)
        return int(answer["change"])

    def endpoints(self) -> Iterator[tuple[str, str, str]]:
        """Yield each endpoint's name, status, and when it was created as text."""
        pages = self._sagemaker.get_paginator("list_endpoints").paginate()
        for page in pages:
            for one in page["Endpoints"]:
                yield one["EndpointName"], one["EndpointStatus"], str(one["CreationTime"])

    def endpoint(self, name: str) -> HostedEndpoint:
        """Return what an endpoint's newest config says.

        Raises:
            ClientError: it, its config or its model is gone.
            ValueError: its model has no archive in S3.
        """
        described = self._sagemaker.describe_endpoint(EndpointName=name)
        config = self._sagemaker.describe_endpoint_config(
            EndpointConfigName=described["EndpointConfigName"]
        )
        model = config["ProductionVariants"][0]["ModelName"]
        return HostedEndpoint.read(name, config, self._sagemaker.describe_model(ModelName=model))

    def desired(self, name: str) -> int:
        """Return how many instances an endpoint was last told to have."""
        described = self._sagemaker.describe_endpoint(EndpointName=name)
        return int(described["ProductionVariants"][0]["DesiredInstanceCount"])

    def describe(self, kind: str, name: str) -> dict[str, Any]:
        """Return what DescribeEndpoint, DescribeTransformJob or DescribeModel answers."""
        of = {"endpoint": "Endpoint", "transform_job": "TransformJob", "model": "Model"}[kind]
        answer = getattr(self._sagemaker, f"describe_{kind}")(**{f"{of}Name": name})
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def tags(self, arn: str) -> dict[str, str]:
        """Return a resource's tags."""
        listed = self._sagemaker.list_tags(ResourceArn=arn).get("Tags", [])
        return {tag["Key"]: tag["Value"] for tag in listed}

    def transform_jobs(self, status: str) -> list[str]:
        """Return the names of the transform jobs of a status."""
        pages = self._sagemaker.get_paginator("list_transform_jobs").paginate(StatusEquals=status)
        return [job["TransformJobName"] for page in pages for job in page["TransformJobSummaries"]]

    def scaling(self, endpoint: HostedEndpoint) -> Scaling | None:
        """Return how an endpoint scales; None if its count of instances is fixed."""
        resource = f"endpoint/{endpoint.name}/variant/{endpoint.variant}"
        scaling = self._clients.client("application-autoscaling")
        targets = scaling.describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[resource], ScalableDimension=_DIMENSION
        )["ScalableTargets"]
        if not targets:
            return None
        policies = scaling.describe_scaling_policies(
            ServiceNamespace="sagemaker", ResourceId=resource, ScalableDimension=_DIMENSION
        )["ScalingPolicies"]
        steps = {one["PolicyARN"] for one in policies if one["PolicyType"] == "StepScaling"}
        return Scaling(
            targets[0]["MinCapacity"],
            targets[0]["MaxCapacity"],
            bool(steps) and not steps.isdisjoint(self._alarmed(endpoint.name)),
            next(filter(None, map(_backlog_target, policies)), None),
        )

    def report(self, kind: str, name: str, **facts: str | int | None) -> str | None:
        """Set how far an endpoint or a transform job has come; return its status, None if gone."""
        report = {"kind": kind, "region": self._clients.region, "name": name, **facts}
        told = {key: value for key, value in report.items() if value is not None}
        status, answer = self._ask("POST", _CHANNEL, json.dumps(told).encode(), 30)
        return str(answer["status"]) if status == 200 else None

    def _alarmed(self, endpoint: str) -> set[str]:
        alarms = self._clients.client("cloudwatch").describe_alarms_for_metric(
            Namespace="AWS/SageMaker",
            MetricName=_WAKING,
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
        )["MetricAlarms"]
        return {action for alarm in alarms for action in alarm.get("AlarmActions", [])}

    def _ask(
        self, method: str, path: str, body: bytes | None, timeout_s: int
    ) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection(self._address, timeout=timeout_s)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise ControlPlaneLost from error
        finally:
            connection.close()


def _backlog_target(policy: dict[str, Any]) -> float | None:
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    metric = tracking.get("CustomizedMetricSpecification", {}).get("MetricName")
    return float(tracking["TargetValue"]) if metric == _BACKLOG else None


def is_gone(error: ClientError) -> bool:
    """Tell whether an API says that what it was asked about is not there."""
    return "Could not find" in error.response["Error"]["Message"]

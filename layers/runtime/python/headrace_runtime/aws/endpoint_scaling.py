"""How endpoints scale: to none and from none where work waits in a queue, to one at least else."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from headrace_runtime.aws.endpoint_requests import VARIANT
from headrace_runtime.aws.refusals import removed_once
from headrace_runtime.batch.gpu_need import REALTIME

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient

_SAGEMAKER: Any = "sagemaker"
_COUNT: Any = "sagemaker:variant:DesiredInstanceCount"
_AT_ONCE = 50  # endpoints that are looked up together: targets, and twice as many alarms

# A policy or an alarm that is changed here is called otherwise, too: what stands is told by name.
_TRACKS, _WAKES, _WAITS = "track-backlog", "wake", "waits"
_FOLLOWS = "follow-calls"

_BACKLOG = 5.0  # bodies that wait for each instance; an instance is sent four at a time
_CALLS = 5.0  # that an instance answers at the same time
_IN_S, _OUT_S = 300, 300
# An instance takes 5 to 10 minutes to come: until then no second one is asked for.
_WAKE_S = 600
_TOO_LONG_S = (
    3600.0  # for a body to wait: longer than an instance takes to come where there are any
)


class EndpointScaling:
    """Puts up, sees and takes down what scales endpoints.

    Args:
        most: instances of an endpoint at a time.
        alarm_topic: ARN of the topic that is told where bodies wait for very long; "" for none.
    """

    def __init__(
        self,
        *,
        most: int,
        alarm_topic: str,
        autoscaling: "ApplicationAutoScalingClient",
        cloudwatch: "CloudWatchClient",
    ) -> None:
        self._most = most
        self._alarm_topic = alarm_topic
        self._autoscaling = autoscaling
        self._cloudwatch = cloudwatch

    def seen(self, endpoints: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Return the names of endpoints whose scaling is whole, and of those that have some of it.

        Args:
            endpoints: names of those that may have some.
        """
        parts: dict[str, set[str]] = {name: set() for name in endpoints}
        for name, part in self._parts(sorted(endpoints)):
            parts.get(name, set()).add(part)
        whole = frozenset(name for name, some in parts.items() if some >= self._whole(name))
        return whole, frozenset(name for name, some in parts.items() if some)

    def put_up(self, endpoint: str) -> None:
        """Let an endpoint scale that is in service."""
        self._autoscaling.register_scalable_target(
            **_target(endpoint),
            MinCapacity=int(endpoint.endswith(REALTIME)),
            MaxCapacity=self._most,
        )
        if endpoint.endswith(REALTIME):
            self._put_tracking(endpoint, _FOLLOWS, _CALLS, _calls_of())
            return
        self._put_tracking(endpoint, _TRACKS, _BACKLOG, _backlog_of(endpoint))
        wake = self._autoscaling.put_scaling_policy(
            **_target(endpoint),
            PolicyName=_WAKES,
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Maximum",
                "Cooldown": _WAKE_S,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        )
        said = "Work waits for an instance: one is asked for."
        awake = "HasBacklogWithoutCapacity", 1.0
        self._put_alarm(endpoint, _WAKES, awake, wake["PolicyARN"], said)
        if self._alarm_topic:
            said = "Bodies of jobs wait for an hour. docs/running.md#alarm-endpoint-waits"
            old = "ApproximateAgeOfOldestRequest", _TOO_LONG_S
            self._put_alarm(endpoint, _WAITS, old, self._alarm_topic, said)

    def take_down(self, endpoint: str) -> None:
        """Remove all that scales an endpoint, what there is of it."""
        for policy in (_FOLLOWS, _TRACKS, _WAKES):
            with removed_once():
                self._autoscaling.delete_scaling_policy(**_target(endpoint), PolicyName=policy)
        with removed_once():
            self._autoscaling.deregister_scalable_target(**_target(endpoint))
        with removed_once():
            self._cloudwatch.delete_alarms(AlarmNames=[f"{endpoint}-{_WAKES}"])
        with removed_once():
            self._cloudwatch.delete_alarms(AlarmNames=[f"{endpoint}-{_WAITS}"])

    def _whole(self, endpoint: str) -> set[str]:
        if endpoint.endswith(REALTIME):
            return {f"1-{self._most}", _FOLLOWS}
        alarms = {f"alarm {_WAKES}"} | ({f"alarm {_WAITS}"} if self._alarm_topic else set())
        return {f"0-{self._most}", _TRACKS, _WAKES} | alarms

    def _parts(self, endpoints: list[str]) -> Iterator[tuple[str, str]]:
        """Yield an endpoint's name and what it has: the range of its target, a policy, an alarm."""
        for at in range(0, len(endpoints), _AT_ONCE):
            some = [_resource(name) for name in endpoints[at : at + _AT_ONCE]]
            pages = self._autoscaling.get_paginator("describe_scalable_targets").paginate(
                ServiceNamespace=_SAGEMAKER, ScalableDimension=_COUNT, ResourceIds=some
            )
            for page in pages:
                for target in page["ScalableTargets"]:
                    yield (
                        _endpoint(target["ResourceId"]),
                        f"{target['MinCapacity']}-{target['MaxCapacity']}",
                    )
        policies = self._autoscaling.get_paginator("describe_scaling_policies").paginate(
            ServiceNamespace=_SAGEMAKER
        )
        for policies_page in policies:
            for policy in policies_page["ScalingPolicies"]:
                yield _endpoint(policy["ResourceId"]), policy["PolicyName"]
        for at in range(0, len(endpoints), _AT_ONCE):
            names = [
                f"{name}-{what}"
                for name in endpoints[at : at + _AT_ONCE]
                for what in (_WAKES, _WAITS)
            ]
            told = self._cloudwatch.describe_alarms(AlarmNames=names, MaxRecords=len(names))
            for alarm in told["MetricAlarms"]:
                endpoint, _, what = alarm["AlarmName"].rpartition("-")
                yield endpoint, f"alarm {what}"

    def _put_tracking(self, endpoint: str, name: str, value: float, metric: Any) -> None:
        follows = metric | {
            "TargetValue": value,
            "ScaleInCooldown": _IN_S,
            "ScaleOutCooldown": _OUT_S,
        }
        self._autoscaling.put_scaling_policy(
            **_target(endpoint),
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=follows,
        )

    def _put_alarm(
        self, endpoint: str, what: str, reached: tuple[str, float], told: str, said: str
    ) -> None:
        metric, threshold = reached
        self._cloudwatch.put_metric_alarm(
            AlarmName=f"{endpoint}-{what}",
            AlarmDescription=said,
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=threshold,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="notBreaching",
            AlarmActions=[told],
        )


def _calls_of() -> dict[str, Any]:
    metric = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    return {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}}


def _backlog_of(endpoint: str) -> dict[str, Any]:
    return {
        "CustomizedMetricSpecification": {
            "Namespace": "AWS/SageMaker",
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
            "Statistic": "Average",
        }
    }


def _target(endpoint: str) -> dict[str, Any]:
    return {
        "ServiceNamespace": _SAGEMAKER,
        "ResourceId": _resource(endpoint),
        "ScalableDimension": _COUNT,
    }


def _resource(endpoint: str) -> str:
    return f"endpoint/{endpoint}/variant/{VARIANT}"


def _endpoint(resource: str) -> str:
    return resource.split("/")[1]

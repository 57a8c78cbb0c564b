"""Lines in Embedded Metric Format become metrics in the local cloud, as CloudWatch makes them."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.e2e.conftest import Cloud, eventually


def _print(probe: Cloud, line: Any) -> None:
    text = line if isinstance(line, str) else json.dumps(line)
    answer = httpx.post(f"{probe.url}/probe", json={"do": "print_line", "line": text})
    assert answer.status_code == 200


def _emf(**members: Any) -> dict[str, Any]:
    directive = {
        "Namespace": "Probe",
        "Dimensions": [["function"], ["function", "model"]],
        "Metrics": [{"Name": "Requests"}, {"Name": "InferMs", "Unit": "Milliseconds"}],
    }
    stamp = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    return {"_aws": stamp, "function": "probe", **members}


def test_lines_of_metrics_become_metrics_and_others_stay_lines(probe: Cloud) -> None:
    cloudwatch = probe.client("cloudwatch")

    def statistics(name: str, **dimensions: str) -> dict[str, float]:
        now = datetime.now(UTC)
        found = cloudwatch.get_metric_statistics(
            Namespace="Probe",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["SampleCount", "Sum", "Minimum", "Maximum"],
        )["Datapoints"]
        return {name: point[name] for point in found for name in set(point) - {"Timestamp", "Unit"}}

    _print(probe, _emf(model="iris", Requests=1, InferMs=2.5))
    _print(probe, '{"_aws": {"CloudWatchMetrics": "none"}}')
    _print(probe, _emf(model="iris", Requests=1, InferMs=[0.5, 4.5]))
    _print(probe, _emf(model="wine", Requests=1))

    everything = eventually(
        lambda: (
            (found := statistics("Requests", function="probe")).get("SampleCount") == 3 and found
        ),
        within_s=5,
        what="the metrics are there",
    )
    assert everything["Sum"] == 3
    infer = statistics("InferMs", function="probe", model="iris")
    assert infer == {"SampleCount": 3, "Sum": 7.5, "Minimum": 0.5, "Maximum": 4.5}
    assert statistics("Requests", function="probe", model="wine")["Sum"] == 1

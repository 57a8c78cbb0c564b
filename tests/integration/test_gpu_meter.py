"""What GPUs cost is added up, each stretch of time once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from headrace_runtime.aws.gpu_meter import GpuMeter

BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def meter(aws: None) -> GpuMeter:
    """A meter that looked when nothing ran."""
    meter = GpuMeter("jobs", dynamodb=boto3.client("dynamodb"))
    assert meter.meter(BEGIN, 0.0) == 0.0
    return meter


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def test_what_ran_since_the_last_look_is_added(meter: GpuMeter) -> None:
    assert meter.meter(at(5), 1.2) == pytest.approx(0.1)
    assert meter.meter(at(15), 2.4) == pytest.approx(0.5)
    assert meter.meter(at(20), 0.0) == pytest.approx(0.5)
    assert meter.spent_usd(at(20)) == pytest.approx(0.5)


def test_of_a_night_without_a_look_half_an_hour_counts(meter: GpuMeter) -> None:
    assert meter.meter(at(600), 1.0) == pytest.approx(0.5)


def test_looks_at_the_same_moment_or_an_earlier_one_add_nothing(meter: GpuMeter) -> None:
    meter.meter(at(5), 1.2)

    assert meter.meter(at(5), 1.2) == pytest.approx(0.1)
    assert meter.meter(at(4), 1.2) == pytest.approx(0.1)


def test_of_two_looks_at_once_one_counts(meter: GpuMeter) -> None:
    dynamodb = boto3.client("dynamodb")
    slower = GpuMeter("jobs", dynamodb=dynamodb)

    def overtaken(**_: Any) -> None:
        meter.meter(at(5), 1.2)

    dynamodb.meta.events.register("before-call.dynamodb.PutItem", overtaken)

    assert slower.meter(at(6), 1.2) == pytest.approx(0.1)
    assert meter.spent_usd(at(6)) == pytest.approx(0.1)


def test_each_month_begins_with_nothing_spent(meter: GpuMeter) -> None:
    meter.meter(at(5), 1.2)
    december = datetime(2026, 12, 1, 0, 4, tzinfo=UTC)

    assert meter.spent_usd(december) == 0.0
    assert meter.meter(december, 1.5) == pytest.approx(0.1)  # of the four minutes
    assert meter.spent_usd(at(0)) == pytest.approx(0.1)


def test_before_the_first_look_nothing_is_spent(aws: None) -> None:
    assert GpuMeter("jobs", dynamodb=boto3.client("dynamodb")).spent_usd(BEGIN) == 0.0

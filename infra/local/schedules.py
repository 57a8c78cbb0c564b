"""EventBridge's clock: rules with a schedule, and the functions that they wake."""

import json
import logging
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.local.deployment import ACCOUNT
from infra.local.function_runtime import FunctionRuntime
from infra.local.invocation import InvocationRefused

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_UNITS_S = {"minute": 60, "hour": 3600, "day": 86_400}
# For how long an event waits for a process; it would wait for hours on AWS, or as its target says.
_PATIENCE_S = 60.0

_log = logging.getLogger(__name__)


class ScheduleNotPlayed(Exception):
    """What is deployed would be woken otherwise on AWS; the argument says which rule, and why."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function that the clock wakes.

    Attributes:
        every_s: between two calls, in seconds; the first comes after that long.
        function: the function's name.
        event: JSON that it is called with; None for the event that EventBridge makes of the rule.
    """

    rule_arn: str
    every_s: float
    function: str
    event: str | None


class Schedules:
    """Calls functions by the clock until it is stopped.

    A call's answer goes nowhere. A call that fails is not made again, which is what the template
    must say; one that has not ended when the next is due delays it.
    """

    def __init__(
        self, schedules: Sequence[Schedule], functions: Mapping[str, FunctionRuntime], region: str
    ) -> None:
        self._region = region
        self._stopped = Event()
        self._threads = [
            Thread(
                target=self._run,
                args=(schedule, functions[schedule.function]),
                name=f"clock-{schedule.function}",
                daemon=True,
            )
            for schedule in schedules
        ]

    def start(self) -> None:
        """Begin, in the background."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Call nothing more; calls under way are left to end with their processes."""
        self._stopped.set()

    def _run(self, schedule: Schedule, function: FunctionRuntime) -> None:
        due = time.monotonic() + schedule.every_s
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            event = schedule.event or self._event(schedule)
            try:
                function.invoke(event.encode(), patience_s=_PATIENCE_S)
            except InvocationRefused:
                if not self._stopped.is_set():
                    _log.warning("%s was too busy for its schedule", schedule.function)
            due = max(due + schedule.every_s, time.monotonic())

    def _event(self, schedule: Schedule) -> str:
        return json.dumps(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": ACCOUNT,
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "region": self._region,
                "resources": [schedule.rule_arn],
                "detail": {},
            }
        )


def read_schedules(session: boto3.Session, *, every_s: float | None = None) -> list[Schedule]:
    """Return the functions that rules with a schedule wake, of the default bus.

    Args:
        session: reaches the cloud.
        every_s: in place of each schedule's own rate, in seconds.

    Raises:
        ScheduleNotPlayed: a schedule is no rate, or wakes something that is not played here.
    """
    events = session.client("events")
    schedules = []
    for rule in events.list_rules()["Rules"]:
        expression = rule.get("ScheduleExpression")
        if not expression or rule["State"] != "ENABLED":
            continue
        rate_s = _rate_s(rule["Name"], expression)
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            function = _function(rule["Name"], target)
            _check_called_once(session, rule["Name"], function)
            schedule = Schedule(rule["Arn"], every_s or rate_s, function, target.get("Input"))
            schedules.append(schedule)
    return schedules


def _rate_s(rule: str, expression: str) -> int:
    rate = _RATE.fullmatch(expression)
    if rate is None:
        raise ScheduleNotPlayed(f"{rule}: {expression} is not played, only rate(...).")
    return int(rate[1]) * _UNITS_S[rate[2]]


def _function(rule: str, target: Mapping[str, Any]) -> str:
    arn = str(target["Arn"]).split(":")
    if arn[2] != "lambda" or "InputTransformer" in target or "InputPath" in target:
        raise ScheduleNotPlayed(f"{rule}: of schedules only functions are played, without paths.")
    return arn[6]


def _check_called_once(session: boto3.Session, rule: str, function: str) -> None:
    try:
        config = session.client("lambda").get_function_event_invoke_config(FunctionName=function)
    except ClientError:  # Lambda's own two
        config = {}
    if config.get("MaximumRetryAttempts") != 0:
        raise ScheduleNotPlayed(
            f"{rule}: its function would be called again where it fails, which is not played: "
            "MaximumRetryAttempts of its event invoke config must be 0."
        )

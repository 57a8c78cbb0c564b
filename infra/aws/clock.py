"""What is woken by the clock."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.aws.headrace_function import HeadraceFunction

EVERY_MINUTES = 5


def wake_by_the_clock(scope: Construct, function: HeadraceFunction) -> None:
    """Let the clock wake *function* every five minutes, by a rule in *scope*.

    Nothing that fails is tried again, nor kept: the next run finds what this one left.
    """
    every = Duration.minutes(EVERY_MINUTES)
    function.live.configure_async_invoke(retry_attempts=0, max_event_age=every)
    events.Rule(
        scope,
        "Clock",
        schedule=events.Schedule.rate(every),
        targets=[targets.LambdaFunction(function.live, retry_attempts=0, max_event_age=every)],
    )

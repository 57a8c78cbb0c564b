"""Rules of EventBridge that wait for the clock.

What is relied on: each event is offered to each rule of its bus by `Rule.send_to_targets`; a rule
has its `scheduled_expression`, None where it waits for events.
"""

from typing import Any

from moto.events.models import Rule


def let_the_clock_alone_wake_schedules() -> None:
    """Let a rule with a schedule take no event.

    To moto it is a rule without a pattern, which takes every event; and a function as a target,
    which it does not play, makes it fail before it comes to the rules behind.
    """
    take = Rule.send_to_targets

    def unless_scheduled(rule: Rule, *event: Any, **how: Any) -> None:
        if not rule.scheduled_expression:
            take(rule, *event, **how)

    Rule.send_to_targets = unless_scheduled  # type: ignore[assignment,method-assign]

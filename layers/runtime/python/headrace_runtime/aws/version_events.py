"""Who wants to know is told that an alias may name other versions than a moment ago."""

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE, KIND = "headrace", "Versions Moved"


class VersionEvents:
    """Puts events on the default bus.

    They are a wake-up and no record: `provision` looks every few minutes all the same. So one that
    is lost fails nobody.
    """

    def __init__(self, *, events: "EventBridgeClient") -> None:
        self._events = events

    def moved(self, model: str) -> None:
        """Tell that versions of a model, or its aliases, have moved."""
        detail = json.dumps({"model": model})
        with suppress(BotoCoreError, ClientError):
            self._events.put_events(
                Entries=[{"Source": SOURCE, "DetailType": KIND, "Detail": detail}]
            )

"""The role's credentials, wherever Lambda puts them: the environment, or a door of its own."""

import json
import os
import time
from datetime import datetime

from headrace_runtime.aws.http_answer import BrokenAnswer
from headrace_runtime.aws.http_wire import Wire
from headrace_runtime.aws.signature_v4 import Credentials

_DOOR = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_PASS = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105 - a variable's name
_EARLY_S = 300  # before they end, so that a call that is under way does not outlive them
_TIMEOUT_S = 2.0


class LambdaCredentials:
    """Credentials that are good now.

    Lambda puts them into the environment, but for a function that starts from a snapshot: what was
    in its environment then would be too old. Such a one asks at an address on its own machine.
    """

    def __init__(self) -> None:
        self._kept: Credentials | None = None
        self._ends = 0.0

    def current(self) -> Credentials:
        """Return them; asked for again shortly before they end.

        Raises:
            KeyError: Lambda says neither what they are nor where to ask.
            OSError: Lambda's door does not answer.
        """
        if "AWS_ACCESS_KEY_ID" in os.environ or _DOOR not in os.environ:
            return Credentials.from_env(os.environ)
        if self._kept is None or time.time() > self._ends - _EARLY_S:
            self._kept, self._ends = _asked(os.environ[_DOOR], os.environ[_PASS])
        return self._kept


def _asked(door: str, word: str) -> tuple[Credentials, float]:
    """Return credentials, and when they end, in seconds since 1970."""
    wire = Wire(door, timeout_s=_TIMEOUT_S)
    try:
        path = "/" + door.partition("://")[2].partition("/")[2]
        answer = wire.call("GET", path, {"authorization": word})
        body = answer.read()
    finally:
        wire.close()
    if answer.status != 200:
        raise BrokenAnswer(f"credentials: status {answer.status}")
    told = json.loads(body)
    credentials = Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["Token"])
    return credentials, datetime.fromisoformat(told["Expiration"]).timestamp()

"""Requests to a table that is busy: made again after a pause.

botocore itself tries what is throttled three times, within a second; what met another transaction,
and a transaction that was throttled, once.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from headrace_runtime.aws.passing_faults import conflicted, throttled
from headrace_runtime.errors import Unavailable

_TRIES = 10

Answer = TypeVar("Answer")


def once_free(request: Callable[[], Answer]) -> Answer:
    """Return the answer to *request*, which is made again where the table is busy with others'.

    Raises:
        Unavailable: it was busy each time; nothing was written.
        ClientError: any other refusal, a condition that does not hold among them.
    """
    for attempt in range(_TRIES):
        try:
            return request()
        except ClientError as error:
            if not (throttled(error) or conflicted(error)):
                raise
            met = error
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter
    raise Unavailable("the table was busy again and again") from met

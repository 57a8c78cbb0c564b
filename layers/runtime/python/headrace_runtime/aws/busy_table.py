"""Requests to a table that is busy: made again after a pause.

What is throttled botocore itself tries again, ten times; what met another transaction it does not,
nor a transaction that was throttled.
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
    """Return the answer to *request*, which is made again where the table is busy with another's.

    Raises:
        Unavailable: it was busy each time; nothing was written.
        ClientError: any other refusal, a condition that does not hold among them.
    """
    for attempt in range(_TRIES):
        try:
            return request()
        except ClientError as error:
            if throttled(error):
                raise Unavailable("the table takes no more requests at present") from error
            if not conflicted(error):
                raise
            met = error
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter
    raise Unavailable("the table was busy with other transactions again and again") from met

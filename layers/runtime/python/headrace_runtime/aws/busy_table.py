"""Requests to a table that is busy: made again after a pause.

What is throttled botocore itself tries again, ten times; what met another transaction it does not,
nor a transaction that was throttled.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from headrace_runtime.errors import Unavailable

_TRIES = 10
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_THROTTLED = frozenset(
    {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
)

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
            if _code(error) in _THROTTLED:
                raise Unavailable("the table takes no more requests at present") from error
            if not _conflicted(error):
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter
    raise Unavailable("the table was busy with other transactions again and again")


def _conflicted(error: ClientError) -> bool:
    """Whether all that stood in the way is gone in a moment."""
    if _code(error) == "TransactionCanceledException":
        reasons = {one.get("Code") for one in error.response.get("CancellationReasons", [])}
        return bool(reasons & _PASSING) and reasons <= _PASSING | {"None"}
    return _code(error) == "TransactionConflictException"


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]

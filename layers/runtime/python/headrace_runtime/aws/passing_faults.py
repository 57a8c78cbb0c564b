"""Faults that are AWS's own, and pass: whoever met one has not failed at its work."""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from headrace_runtime.errors import Unavailable

_CONFLICTS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_TOO_MUCH_AT_ONCE = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


def passes(error: BaseException | None) -> bool:
    """Return whether AWS was out of reach, out of order, or asked for too much at once."""
    if isinstance(error, Unavailable):
        return passes(error.__cause__)
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or throttled(error) or conflicted(error)
    return isinstance(error, (HTTPClientError, NoConnection))


def throttled(error: ClientError) -> bool:
    """Return whether too much was asked for at once."""
    return error.response["Error"]["Code"] in _TOO_MUCH_AT_ONCE


def conflicted(error: ClientError) -> bool:
    """Return whether nothing but another transaction stood in the way of a write."""
    code = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        reasons = {one.get("Code") for one in error.response.get("CancellationReasons", [])}
        return bool(reasons & _CONFLICTS) and reasons <= _CONFLICTS | {"None"}
    return code == "TransactionConflictException"

"""Faults that are AWS's own, and pass: whoever met one has not failed at its work."""

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

_TOO_MUCH_AT_ONCE = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


def passes(error: BaseException) -> bool:
    """Return whether AWS was out of reach, out of order, or asked for too much at once."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response["Error"]["Code"] in _TOO_MUCH_AT_ONCE
    return isinstance(error, (HTTPClientError, NoConnection))

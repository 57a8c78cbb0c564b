"""What SageMaker, and what goes with it, says of a thing that is there already, or not there."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from headrace_runtime.errors import Unavailable

# SageMaker has no codes for these: all are a `ValidationException`.
_THERE = "cannot create already existing"
_GONE = ("could not find", "no scalable target found", "no scaling policy found")
_GONE_CODES = frozenset({"ObjectNotFoundException", "ResourceNotFound"})
# An endpoint that changes its status meanwhile.
_BUSY = ("cannot update in-progress", "cannot delete endpoint", "in progress")


def says(error: ClientError) -> str:
    """Return the sentence that an answer has."""
    return error.response["Error"].get("Message", "")


@contextmanager
def made_once() -> Iterator[None]:
    """Let something be made that may be there already.

    Raises:
        Unavailable: what it is made of was not seen yet; SageMaker's own tables are eventually
            consistent. Nothing was made.
    """
    try:
        yield
    except ClientError as error:
        if gone(error):
            raise Unavailable(f"SageMaker does not see yet what was made: {says(error)}") from error
        if _THERE not in says(error).lower():
            raise


@contextmanager
def removed_once() -> Iterator[None]:
    """Let something be removed that may be gone already, or may not be removed at this moment."""
    try:
        yield
    except ClientError as error:
        if not gone(error) and not any(part in says(error).lower() for part in _BUSY):
            raise


def gone(error: ClientError) -> bool:
    """Return whether there is no such thing."""
    sentence = says(error).lower()
    code = error.response["Error"]["Code"]
    return code in _GONE_CODES or any(part in sentence for part in _GONE)

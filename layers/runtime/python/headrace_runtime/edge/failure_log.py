"""Failures that are our fault, logged: what kind and where, never a caller's value."""

import traceback

from headrace_runtime.errors import HeadraceError


def log_failure(error: Exception, request_id: str) -> None:
    """Log one failure.

    The text of an error that is not ours may hold what a caller sent, so only its type and the
    place where it arose are logged.
    """
    # Here and not above: it would cost every cold start as much as a third of numpy.
    from aws_lambda_powertools import Logger  # noqa: PLC0415

    Logger().error(
        error.sentence if isinstance(error, HeadraceError) else "unexpected failure",
        error=type(error).__name__,
        cause=type(error.__cause__).__name__ if error.__cause__ else None,
        stack=traceback.format_tb(error.__traceback__),
        request_id=request_id,
    )

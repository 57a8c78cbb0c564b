"""Failures that are our fault, logged: what kind and where, never a caller's value."""

import os
import time
import traceback
from collections.abc import Mapping

import orjson

from headrace_runtime.errors import Conflict, DigestMismatch, Unavailable
from headrace_runtime.monitoring import stdout

# Their sentences hold names and numbers of our own only.
_TOLD = (Conflict, DigestMismatch, Unavailable)


def log_failure(error: Exception, ids: Mapping[str, str]) -> None:
    """Print one failure as a line of JSON, found again by *ids*, whatever the log level is.

    The text of an error may hold what a caller sent, so all but a few are logged by their type and
    the place where they arose. The line is as Powertools' Logger has it, whose import would cost a
    cold start a third of numpy's.
    """
    fields = {
        "level": "ERROR",
        "message": error.sentence if isinstance(error, _TOLD) else "unexpected failure",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "service": os.environ.get("POWERTOOLS_SERVICE_NAME", ""),
        "error": type(error).__name__,
        "cause": type(error.__cause__).__name__ if error.__cause__ else None,
        "stack": traceback.format_tb(error.__traceback__),
        **ids,
    }
    stdout.write(orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE))

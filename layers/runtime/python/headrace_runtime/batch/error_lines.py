"""Lines of errors.jsonl: the records without an answer, and why."""

from collections.abc import Iterable

import orjson

from headrace_runtime.codec.records import BadRow


def row_errors(bad: Iterable[BadRow]) -> bytes:
    """Return one line for each record, `{"row": 17, "line": 18, "code": "…", "error": "…"}`."""
    return b"".join(
        orjson.dumps(
            {"row": b.row, "line": b.line, "code": b.code, "error": b.error},
            option=orjson.OPT_APPEND_NEWLINE,
        )
        for b in bad
    )


def job_error(code: str, error: str) -> bytes:
    """Return the one line of a job that failed as a whole; its row and line are null."""
    return orjson.dumps(
        {"row": None, "line": None, "code": code, "error": error},
        option=orjson.OPT_APPEND_NEWLINE,
    )

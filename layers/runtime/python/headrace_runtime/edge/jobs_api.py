"""What callers ask of jobs: bodies, queries and headers, strictly read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from headrace_runtime.batch.job import Job, JobState
from headrace_runtime.batch.job_pages import JobFilter, Place, place_in, token_of
from headrace_runtime.batch.job_view import job_view
from headrace_runtime.batch.submission import MAX_DEADLINE_S, StoredObject, Submission
from headrace_runtime.codec.json_text import read_json
from headrace_runtime.edge.http_api import Answer, Request, json_answer
from headrace_runtime.errors import InvalidInput, UnfitInput
from headrace_runtime.model.names import model_name

_MOST, _USUALLY = 200, 50  # jobs of a page
_MAX_KEY = 255  # characters of an Idempotency-Key
_RESULTS = {"joined": True, "predictions": False}
_QUERY = ("model", "state", "limit", "next")


@dataclass(frozen=True, slots=True)
class FileArrived:
    """A file that lies in the inbox."""

    key: str


@dataclass(frozen=True, slots=True)
class JobsAsked:
    """A page of jobs that a caller wants.

    Attributes:
        place: behind which it begins; None is the newest job.
    """

    wanted: JobFilter
    limit: int
    place: Place | None


def job_request(body: bytes) -> Submission | FileArrived:
    """Return what the body of `POST /jobs` asks for.

    Raises:
        InvalidInput: it is not JSON, or model or file are no names.
        UnfitInput: it is none of the three that there are.
    """
    plain = read_json(body)
    match plain:
        case {"key": str(key)} if len(plain) == 1:
            return FileArrived(key)
        case {"model": str(target), "file": str(file), **more}:
            return Submission(target, file, None, *_wishes(plain, more))
        case {"model": str(target), "object": dict(members), **more}:
            original = _object(members)
            return Submission(target, original.file, original, *_wishes(plain, more))
    raise _unfit(plain)


def jobs_asked(request: Request) -> JobsAsked:
    """Return what `?model=&state=&limit=&next=` asks for: the newest 50 of all, if not said.

    Raises:
        InvalidName: the model's is none.
        UnfitInput: another value is none that there is, or there is no such parameter.
    """
    query = request.query
    for name in query.keys() - set(_QUERY):
        raise UnfitInput(f"the query has no {name[:80]!r}: it takes {', '.join(_QUERY)}")
    model, state = query.get("model"), query.get("state")
    if state is not None and state not in JobState.__members__.values():
        raise UnfitInput(f"state must be one of {', '.join(JobState)}, got {state[:40]!r}")
    wanted = JobFilter(
        None if model is None else model_name(model), None if state is None else JobState(state)
    )
    text = query.get("limit", str(_USUALLY))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= limit <= _MOST:
        raise UnfitInput(f"limit must be a whole number of 1 to {_MOST}")
    token = query.get("next")
    return JobsAsked(wanted, limit, None if token is None else place_in(token, wanted))


def idempotency_key(request: Request) -> str | None:
    """Return the header Idempotency-Key, None where there is none.

    Raises:
        InvalidInput: it is not 1-255 characters of printable ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= _MAX_KEY and key.isascii() and key.isprintable()):
        raise InvalidInput(f"Idempotency-Key must be 1-{_MAX_KEY} printable characters of ASCII")
    return key


def jobs_answer(jobs: Iterable[Job], place: Place | None, wanted: JobFilter) -> Answer:
    """Answer with a page of jobs, and the token of the place behind which the next one begins."""
    return json_answer(
        {
            "jobs": [job_view(job) for job in jobs],
            "next": None if place is None else token_of(place, wanted),
        }
    )


def _object(members: dict[Any, Any]) -> StoredObject:
    match members:
        case {"bucket": str(bucket), "key": str(key)} if bucket and key and len(members) == 2:
            return StoredObject(bucket, key)
        case {"bucket": str(bucket), "key": str(key), "version_id": str(version)} if (
            bucket and key and version and len(members) == 3
        ):
            return StoredObject(bucket, key, version)
    raise UnfitInput(
        'object of the body must be {"bucket": "<bucket>", "key": "<key>", '
        '"version_id"?: "<version>"}',
        **_got(members),
    )


def _wishes(plain: Any, more: dict[Any, Any]) -> tuple[bool, str | None, int | None]:
    """Return whether results are joined, the webhook's address, and the deadline in seconds."""
    if more.keys() - {"results", "webhook", "deadline_s"}:
        raise _unfit(plain)
    results, webhook = more.get("results", "joined"), more.get("webhook")
    deadline_s = more.get("deadline_s")
    if not isinstance(results, str) or results not in _RESULTS:
        raise UnfitInput(f"results of the body must be one of {', '.join(_RESULTS)}")
    if "webhook" in more and not isinstance(webhook, str):
        raise UnfitInput("webhook of the body must be text: https://<host>[:<port>]/<path>")
    # Not isinstance: True is an int.
    if "deadline_s" in more and not (type(deadline_s) is int and 1 <= deadline_s <= MAX_DEADLINE_S):
        raise UnfitInput(
            f"deadline_s of the body must be a whole number from 1 to {MAX_DEADLINE_S}"
        )
    return _RESULTS[results], webhook, deadline_s


def _unfit(plain: Any) -> UnfitInput:
    return UnfitInput(
        'the body must be {"model": "<model>[@<alias or version>]", "file": "<name>"} for an '
        'upload, the same with "object": {"bucket", "key", "version_id"?} in place of "file" for '
        'an object that is here, both with "results"?: "joined" or "predictions", "webhook"?: '
        '"https://…" and "deadline_s"?: <seconds>; or {"key": "<key in the inbox>"} for the job '
        "of a file that has arrived",
        **_got(plain),
    )


def _got(plain: Any) -> dict[str, list[str]]:
    return {"got": sorted(str(name)[:80] for name in plain)[:10]} if isinstance(plain, dict) else {}

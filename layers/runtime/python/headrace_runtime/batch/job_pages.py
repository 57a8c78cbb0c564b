"""Lists of jobs, page by page: what is listed, and from where on."""

import base64
import json
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256

from headrace_runtime.batch.job import JobState
from headrace_runtime.errors import UnfitInput

_MAX_TOKEN = 400  # characters


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are listed; None is all."""

    model: str | None = None
    state: JobState | None = None

    @property
    def fingerprint(self) -> str:
        """A short text that another filter does not have."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the list of all jobs, the newest first.

    Attributes:
        day: ISO 8601, UTC.
        before: what follows are jobs of that day whose `<created at>#<job id>` is less, and those
            of earlier days.
    """

    day: str
    before: str = "~"  # all of the day: dates begin with digits, which are less

    @property
    def without_job(self) -> "Place":
        """This place or one just before, so named that it tells of no job but its time."""
        return Place(self.day, self.before.partition("#")[0] + "#~")


def token_of(place: Place, wanted: JobFilter) -> str:
    """Return the text by which a caller asks for what follows a place."""
    plain = json.dumps([wanted.fingerprint, place.day, place.before], separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def place_in(token: str, wanted: JobFilter) -> Place:
    """Return the place that a token names.

    Raises:
        UnfitInput: it is no token, or one of a list with another filter.
    """
    padded = token[:_MAX_TOKEN].encode(errors="replace") + b"=" * (-len(token) % 4)
    try:
        match json.loads(base64.b64decode(padded, b"-_", validate=True)):
            case [str(fingerprint), str(day), str(before)] if before:
                date.fromisoformat(day)
            case _:
                raise _no_token()
    except ValueError:  # of base64, of JSON, or of the date
        raise _no_token() from None
    if fingerprint != wanted.fingerprint:
        raise UnfitInput(
            "next is of a list with another model or state: ask with the same, or without next"
        )
    return Place(day, before)


def _no_token() -> UnfitInput:
    return UnfitInput("next must be the value of `next` in an earlier page")

"""Jobs as they stand: one, many, until the end; and their end brought about."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from headrace.connection import Connection
from headrace.failures import ApiError
from headrace.job_records import Job, State
from headrace.waiting import until

_MOST_AT_ONCE = 200  # of jobs that one answer holds


def job_path(job_id: str) -> str:
    """Return the path of a job."""
    return f"/jobs/{quote(job_id, safe='')}"


def job(connection: Connection, job_id: str) -> Job:
    """Return the job as it stands."""
    return Job.from_json(connection.get(job_path(job_id)))


def jobs(
    connection: Connection, model: str | None, state: State | None, limit: int | None
) -> Iterator[Job]:
    """Yield jobs, the newest first, a page asked for when it is reached."""
    wanted: dict[str, Any] = {"model": model, "state": state}
    wanted["limit"] = _MOST_AT_ONCE if limit is None else min(limit, _MOST_AT_ONCE)
    return islice(_all(connection, wanted), limit)


def cancel(connection: Connection, job_id: str) -> Job:
    """Ask for the end of a job, and return it as it stands then."""
    # A second try meets a job that is to end already, and that is no error.
    return Job.from_json(connection.delete(job_path(job_id), repeatable=True))


def wait(
    connection: Connection,
    job_id: str,
    *,
    timeout_s: float,
    start_timeout_s: float,
    on_progress: Callable[[Job], None],
) -> Job:
    """Return the job once it has ended; *on_progress* sees it each time it was asked for."""

    def seen() -> Job | None:
        try:
            found = job(connection, job_id)
        except ApiError as error:
            if error.status == 404:  # the file lies in the inbox, its event is on its way
                return None
            raise
        on_progress(found)
        return found

    def ended() -> Job | None:
        found = seen()
        return found if found is not None and found.ended else None

    until(seen, f"the start of job {job_id}", start_timeout_s)
    return until(ended, f"the end of job {job_id}", timeout_s)


def _all(connection: Connection, wanted: dict[str, Any]) -> Iterator[Job]:
    token: str | None = None
    while True:
        asked = {**wanted, "next": token}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        page = connection.get(f"/jobs?{query}")
        yield from map(Job.from_json, page["jobs"])
        token = page.get("next")
        if not token:
            return

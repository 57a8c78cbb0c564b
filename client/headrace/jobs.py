"""A file of records → a job → its results, over addresses that the service signs."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from headrace import storage
from headrace.connection import Connection
from headrace.failures import ApiError
from headrace.records import Job
from headrace.waiting import until
from headrace_runtime.errors import InvalidInput


def submit(connection: Connection, file: str | Path, model: str) -> str:
    """Put the file into the inbox, and return the id that its job has or will have."""
    path = Path(file)
    with path.open("rb") as content:
        wanted = {"model": model, "file": path.name}
        ticket = connection.send("POST", "/jobs", wanted, repeatable=True)
        storage.upload(ticket, content, path.name)
    arrived = connection.send("POST", "/jobs", {"key": ticket["key"]}, repeatable=True)
    return str(arrived["job_id"])


def job(connection: Connection, job_id: str) -> Job:
    """Return the job as it stands."""
    return Job.from_json(connection.get(_job_path(job_id)))


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


def results(connection: Connection, job_id: str, folder: str | Path) -> list[Path]:
    """Download what a job left, its manifest last; a file that it did not leave is left out."""
    found = job(connection, job_id)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    # A job that failed before it read a record has no results, only a manifest that says why.
    left = {"results": found.rows_in or not found.error, "errors": found.rows_failed}
    parts = [*(part for part in left if left[part]), "manifest"]
    return [_download(connection, job_id, part, target) for part in parts]


def _download(connection: Connection, job_id: str, part: str, folder: Path) -> Path:
    signed = connection.get(f"{_job_path(job_id)}/{part}")
    name = str(signed["file"])
    if Path(name).name != name:  # no answer writes beside the folder
        raise InvalidInput(f"{name!r} is no name of a file")
    storage.download(str(signed["url"]), folder / name)
    return folder / name


def _job_path(job_id: str) -> str:
    return f"/jobs/{quote(job_id, safe='')}"

"""What a job took and left, downloaded over addresses that the service signs."""

import json
from pathlib import Path
from typing import Any

from headrace import storage
from headrace.checksum import Checksum
from headrace.connection import Connection
from headrace.job_records import Job
from headrace.jobs import job, job_path
from headrace_runtime.errors import InvalidInput


def results(connection: Connection, job_id: str, folder: str | Path) -> list[Path]:
    """Download what a job left, its manifest last; a file that it did not leave is left out."""
    found = job(connection, job_id)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    if _has_results(found):
        checksum = _checksum(connection, found)
        paths.append(download(connection, job_id, "results", target, checksum))
    parts = ["errors", "manifest"] if found.rows_failed else ["manifest"]
    return paths + [download(connection, job_id, part, target) for part in parts]


def job_input(connection: Connection, job_id: str, target: str | Path) -> Path:
    """Download the file that a job was made of, to a folder or under a name."""
    path = Path(target)
    if path.is_dir():
        return download(connection, job_id, "input", path)
    signed = connection.get(f"{job_path(job_id)}/input")
    storage.download(str(signed["url"]), path)
    return path


def download(
    connection: Connection, job_id: str, part: str, folder: Path, checksum: Checksum | None = None
) -> Path:
    """Download one file of a job into a folder, under the name that the service gives it."""
    signed = connection.get(f"{job_path(job_id)}/{part}")
    name = str(signed["file"])
    if Path(name).name != name:  # no answer writes beside the folder
        raise InvalidInput(f"{name!r} is no name of a file")
    storage.download(str(signed["url"]), folder / name, checksum)
    return folder / name


def _has_results(found: Job) -> bool:
    """Whether there are any: not where a job ended before it read a record, however it ended."""
    began = found.sha256 is not None or found.rows_in > 0
    return began or not (found.error or found.state == "cancelled")


def _checksum(connection: Connection, found: Job) -> Checksum | None:
    """Return what the results should come to; None where the service does not say it."""
    if found.sha256 is None:
        return None
    if "-" not in found.sha256:
        return Checksum(found.sha256)
    signed = connection.get(f"{job_path(found.job_id)}/manifest")
    manifest: dict[str, Any] = json.loads(storage.read(str(signed["url"]), "the manifest"))
    return Checksum.told_by(manifest)

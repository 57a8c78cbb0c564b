"""A file with a model → a version, or the reason why not."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from urllib.parse import quote

from headrace import storage
from headrace.connection import Connection
from headrace.failures import ApiError
from headrace.records import Acceleration, Model, Version
from headrace.waiting import until
from headrace_runtime.errors import ModelRefused

File = str | Path | bytes


def model_path(model: str) -> str:
    """Return the path of a model in the control API."""
    return f"/models/{quote(model, safe='')}"


def publish(
    connection: Connection,
    file: File,
    model: str,
    acceleration: Acceleration,
    *,
    wait: bool,
    timeout_s: float,
) -> Version | None:
    """Upload the model and wait for the verdict, unless there is one on its bytes and choice."""
    with _opened(file) as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        known = _verdict(connection, model, digest, acceleration)
        if known is not None:
            return known
        path = f"{model_path(model)}/versions"
        ticket = connection.send("POST", path, acceleration.json, repeatable=True)
        storage.upload(ticket, content, "model.onnx")
    if not wait:
        return None
    return until(
        lambda: _verdict(connection, model, digest, acceleration),
        f"the verdict on this file for model {model!r}",
        timeout_s,
    )


def _verdict(
    connection: Connection, model: str, digest: str, acceleration: Acceleration
) -> Version | None:
    """Return the version that these bytes became with that choice, None without a verdict."""
    wanted = (digest, acceleration)
    try:
        known = Model.from_json(connection.get(model_path(model)))
    except ApiError as error:
        if error.status == 404:  # nothing was ever dropped for it
            return None
        raise
    for refusal in known.refusals:
        if (refusal.digest, refusal.acceleration) == wanted:
            raise ModelRefused(refusal.rule, refusal.error)
    return next((v for v in known.versions if (v.digest, v.acceleration) == wanted), None)


@contextmanager
def _opened(file: File) -> Iterator[BytesIO | BufferedReader]:
    if isinstance(file, bytes):
        yield BytesIO(file)
        return
    with Path(file).open("rb") as content:
        yield content

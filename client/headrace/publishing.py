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
from headrace.records import Model, Version
from headrace.waiting import until
from headrace_runtime.errors import ModelRefused

File = str | Path | bytes


def model_path(model: str) -> str:
    """Return the path of a model in the control API."""
    return f"/models/{quote(model, safe='')}"


def publish(
    connection: Connection, file: File, model: str, *, wait: bool, timeout_s: float
) -> Version | None:
    """Upload the model unless its bytes have a verdict already, and wait for that verdict."""
    with _opened(file) as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        known = _verdict(connection, model, digest)
        if known is not None:
            return known
        ticket = connection.send("POST", f"{model_path(model)}/versions", {}, repeatable=True)
        storage.upload(ticket, content, "model.onnx")
    if not wait:
        return None
    return until(
        lambda: _verdict(connection, model, digest),
        f"the verdict on this file for model {model!r}",
        timeout_s,
    )


def _verdict(connection: Connection, model: str, digest: str) -> Version | None:
    """Return the version that bytes of this sha256 became, None while there is no verdict."""
    try:
        known = Model.from_json(connection.get(model_path(model)))
    except ApiError as error:
        if error.status == 404:  # nothing was ever dropped for it
            return None
        raise
    for refusal in known.refusals:
        if refusal.digest == digest:
            raise ModelRefused(refusal.rule, refusal.error)
    return next((version for version in known.versions if version.digest == digest), None)


@contextmanager
def _opened(file: File) -> Iterator[BytesIO | BufferedReader]:
    if isinstance(file, bytes):
        yield BytesIO(file)
        return
    with Path(file).open("rb") as content:
        yield content

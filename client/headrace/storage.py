"""Files to and from storage, over addresses that the service signed: no AWS credentials here."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import httpx

from headrace.checksum import Checksum
from headrace.failures import ApiError, Unreachable
from headrace_runtime.errors import InvalidInput

# What storage does not take or give in this time has stopped moving.
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_CHUNK_BYTES = 1 << 20


def upload(ticket: Mapping[str, Any], file: IO[bytes], name: str) -> None:
    """Send *file* where the service said, read from disk as it goes.

    It is never tried twice by itself: storage may hold the file although its answer was lost.

    Args:
        ticket: what the service answered: `upload` with `url` and `fields`, and `max_bytes`
            where there is a limit.
        file: open for reading, at its beginning.
        name: the file's name for the form.

    Raises:
        InvalidInput: the file is larger than storage would take; nothing was sent.
        ApiError: storage refused it.
        Unreachable: no answer came; the file may have arrived.
    """
    size = file.seek(0, 2)
    file.seek(0)
    limit = ticket.get("max_bytes", size)
    if size > limit:
        raise InvalidInput(f"{name} has {size:,} bytes, and at most {limit:,} are taken")
    form = ticket["upload"]
    try:
        # The fields come before the file, as storage demands: httpx writes them in that order.
        response = httpx.post(
            form["url"], data=form["fields"], files={"file": (name, file)}, timeout=_TIMEOUT
        )
    except httpx.TransportError as error:
        raise Unreachable(f"storage gave no answer to the upload of {name}: {error}") from error
    _check(response, f"the upload of {name}")


def download(url: str, target: Path, checksum: Checksum | None = None) -> None:
    """Write what lies at *url* to *target*, which appears only once it is whole and checked.

    Raises:
        ApiError: storage refused.
        Unreachable: the answer did not come, or broke off; *target* is as it was.
        DamagedDownload: the bytes are not those of *checksum*; *target* is as it was.
    """
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT) as response, unfinished.open("wb") as file:
            if not response.is_success:
                response.read()
            _check(response, f"the download of {target.name}")
            for chunk in response.iter_bytes(_CHUNK_BYTES):
                file.write(chunk)
                if checksum is not None:
                    checksum.add(chunk)
        if checksum is not None:
            checksum.check(target.name)
        unfinished.replace(target)
    except httpx.TransportError as error:
        raise Unreachable(f"the download of {target.name} broke off: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def read(url: str, what: str) -> bytes:
    """Return what lies at *url*; *what* names it. Raises as `download` does."""
    try:
        response = httpx.get(url, timeout=_TIMEOUT)
    except httpx.TransportError as error:
        raise Unreachable(f"the download of {what} broke off: {error}") from error
    _check(response, f"the download of {what}")
    return response.content


def _check(response: httpx.Response, what: str) -> None:
    """Raise what storage says in its XML, unless it agreed."""
    if response.is_success:
        return
    code, message = (_element(response.text, name) for name in ("Code", "Message"))
    raise ApiError(
        response.status_code,
        code or f"HTTP_{response.status_code}",
        f"storage refused {what}: {message or response.reason_phrase}",
        _element(response.text, "RequestId"),
    )


def _element(xml: str, name: str) -> str:
    """Return the text of the first such element; XML this flat needs no parser to be hardened."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml[:10_000])
    return found[1] if found else ""

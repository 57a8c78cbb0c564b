"""Keys of the inbox: what they ask for; and what is made of them."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from headrace_runtime.batch.job import Source
from headrace_runtime.errors import InvalidInput, InvalidName
from headrace_runtime.model.alias import LIVE
from headrace_runtime.model.names import model_name, version_or_alias

_MAX_KEY_BYTES = 1024  # of S3, in UTF-8
_LONGEST_FILE = "results.jsonl"


class FileFormat(StrEnum):
    """Formats of dropped files, by the end of the file's name, in capitals or not."""

    CSV = "csv"
    JSON_LINES = "jsonl"


@dataclass(frozen=True, slots=True)
class JobKey:
    """What a key of the inbox asks for: records of *format* for a version or alias of a model."""

    model: str
    reference: int | str
    format: FileFormat


def parse_key(key: str) -> JobKey:
    """Read `[inbox/]<model>[@<alias or version>]/…/<file>.csv|.jsonl`.

    Raises:
        InvalidName: the first folder names no model, or no alias or version after the `@`.
        InvalidInput: the file lies in no folder, or is of a format that is not read.
    """
    folder, slash, rest = key.removeprefix("inbox/").partition("/")
    if not slash:
        raise InvalidInput(
            "the file lies in no model's folder: drop it at <model>/<file> or "
            "<model>@<alias or version>/<file>"
        )
    model, at, reference = folder.partition("@")
    return JobKey(model_name(model), version_or_alias(reference) if at else LIVE, file_format(rest))


def model_in(key: str) -> str:
    """Return the model in whose folder a file lies, whatever else is wrong with its key; or ""."""
    folder = key.removeprefix("inbox/").partition("/")[0]
    try:
        return model_name(folder.partition("@")[0])
    except InvalidName:
        return ""


def file_format(key: str) -> FileFormat:
    """Return the format that the end of a file's name says.

    Raises:
        InvalidInput: it is none that is read.
    """
    name = key.rsplit("/", 1)[-1]
    _, dot, suffix = name.rpartition(".")
    if not dot or suffix.lower() not in tuple(FileFormat):
        known = " or ".join(f".{known}" for known in FileFormat)
        raise InvalidInput(f"file {name[-80:]!r} must end in {known}")
    return FileFormat(suffix.lower())


def job_id(source: Source) -> str:
    """Return the job's id, 32 hex digits: the same for every event of one version of an object."""
    parts = source.bucket, source.key, source.version_id or source.etag
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def results_prefix(key: str, job: str) -> str:
    """Return how the keys of a job's results begin, `<key without inbox/>/<job id>/`.

    Where keys would pass S3's 1,024 bytes, the input's key is cut, and a hash stands for the rest.
    """
    name = key.removeprefix("inbox/")
    room = _MAX_KEY_BYTES - len(f"/{job}/{_LONGEST_FILE}")
    if len(name.encode()) > room:
        mark = "~" + sha256(name.encode()).hexdigest()[:16]
        name = name.encode()[: room - len(mark)].decode(errors="ignore") + mark
    return f"{name}/{job}/"

"""Keys of the inbox: what they ask for; and what is made of them."""

from dataclasses import dataclass
from hashlib import sha256

from headrace_runtime.batch.source import Source
from headrace_runtime.errors import InvalidInput, InvalidName
from headrace_runtime.model.alias import LIVE
from headrace_runtime.model.names import model_name, version_or_alias

_MAX_KEY_BYTES = 1024  # of S3, in UTF-8
_LONGEST_FILE = "results.parquet"
PARTS = "_parts/"  # where the parts of results lie until they are joined


@dataclass(frozen=True, slots=True)
class JobKey:
    """What a key of the inbox asks for: the answers of a version or alias of a model."""

    model: str
    reference: int | str


def parse_key(key: str) -> JobKey:
    """Read `[inbox/]<model>[@<alias or version>]/…/<file>`; what the file is, its content says.

    Raises:
        InvalidName: the first folder names no model, or no alias or version after the `@`.
        InvalidInput: the file lies in no folder.
    """
    folder, slash, _ = key.removeprefix("inbox/").partition("/")
    if not slash:
        raise InvalidInput(
            "the file lies in no model's folder: drop it at <model>/<file> or "
            "<model>@<alias or version>/<file>"
        )
    model, at, reference = folder.partition("@")
    return JobKey(model_name(model), version_or_alias(reference) if at else LIVE)


def model_in(key: str) -> str:
    """Return the model in whose folder a file lies, whatever else is wrong with its key; or ""."""
    folder = key.removeprefix("inbox/").partition("/")[0]
    try:
        return model_name(folder.partition("@")[0])
    except InvalidName:
        return ""


def job_id(source: Source) -> str:
    """Return the job's id, 32 hex digits: the same for every event of one version of an object."""
    parts = source.bucket, source.key, source.version_id or source.etag
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def results_prefix(key: str, job: str) -> str:
    """Return how the keys of a job's results begin, `<key without inbox/>/<job id>/`.

    Where keys would pass S3's 1,024 bytes, the input's key is cut, and a hash stands for the rest.
    None begins as the keys of parts do, which are removed after some days.
    """
    name = key.removeprefix("inbox/")
    if name.startswith(PARTS):
        name = f"~{name}"
    room = _MAX_KEY_BYTES - len(f"/{job}/{_LONGEST_FILE}")
    if len(name.encode()) > room:
        mark = "~" + sha256(name.encode()).hexdigest()[:16]
        name = name.encode()[: room - len(mark)].decode(errors="ignore") + mark
    return f"{name}/{job}/"

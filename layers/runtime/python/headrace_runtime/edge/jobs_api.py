"""The body of `POST /jobs`: a file that will be sent, or one that has arrived."""

from dataclasses import dataclass
from typing import Any

from headrace_runtime.codec.json_text import read_json
from headrace_runtime.errors import UnfitInput


@dataclass(frozen=True, slots=True)
class FileToSend:
    """A file that the caller will upload.

    Attributes:
        target: the model, `<model>[@<alias or version>]`.
        file: the file's name.
    """

    target: str
    file: str

    @property
    def model(self) -> str:
        """The model's name in the target, not checked yet."""
        return self.target.partition("/")[0].partition("@")[0]


@dataclass(frozen=True, slots=True)
class FileArrived:
    """A file that lies in the inbox."""

    key: str


def job_request(body: bytes) -> FileToSend | FileArrived:
    """Return what the body asks for.

    Raises:
        InvalidInput: it is not JSON.
        UnfitInput: it is neither `{"model", "file"}` nor `{"key"}`, all of them text.
    """
    plain = read_json(body)
    match plain:
        case {"model": str(target), "file": str(file)} if len(plain) == 2:
            return FileToSend(target, file)
        case {"key": str(key)} if len(plain) == 1:
            return FileArrived(key)
    raise UnfitInput(_EXPECTED, **_got(plain))


_EXPECTED = (
    'the body must be {"model": "<model>[@<alias or version>]", "file": "<name>"} for an upload, '
    'or {"key": "<key in the inbox>"} for the job of a file that has arrived'
)


def _got(plain: Any) -> dict[str, list[str]]:
    return {"got": sorted(str(name)[:80] for name in plain)[:10]} if isinstance(plain, dict) else {}

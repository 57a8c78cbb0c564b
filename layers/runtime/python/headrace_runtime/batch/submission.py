"""Submissions: what a caller asks for who sends a file, or names one that is here already."""

import json
import re
from dataclasses import asdict, dataclass

from headrace_runtime.errors import InvalidInput

MAX_DEADLINE_S = 7 * 24 * 3600
_MAX_FILE_BYTES = 255  # of a name, in UTF-8
# S3 puts a name that the sender chooses where a form's key says ${filename}.
_IN_NO_NAME = re.compile(r"[/\x00-\x1f\x7f]|\$\{")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object, or one version of it.

    Attributes:
        version_id: None is the latest.
    """

    bucket: str
    key: str
    version_id: str | None = None

    @property
    def file(self) -> str:
        """The last part of the key, as a file of the inbox can be called; its suffix is kept."""
        name = _IN_NO_NAME.sub("_", self.key.rpartition("/")[2]).encode()[-_MAX_FILE_BYTES:]
        return name.decode(errors="ignore").lstrip(".") or "file"


@dataclass(frozen=True, slots=True)
class Submission:
    """A file for a model.

    Attributes:
        target: the model, `<model>[@<alias or version>]`.
        file: the file's name, 1-255 bytes.
        original: the object that is to be copied; None where the caller will send the file.
        joined: whether the results repeat the records before their outputs.
        webhook_url: who is to be told of the end, as the caller wrote it.
        deadline_s: in so many seconds the job should have ended, 1 to MAX_DEADLINE_S; None where
            it has time.
    """

    target: str
    file: str
    original: StoredObject | None = None
    joined: bool = True
    webhook_url: str | None = None
    deadline_s: int | None = None

    def __post_init__(self) -> None:
        if "/" in self.target:
            raise InvalidInput("model must be <model> or <model>@<alias or version>")
        size = len(self.file.encode(errors="surrogatepass"))
        if (
            not 1 <= size <= _MAX_FILE_BYTES
            or self.file in (".", "..")
            or _IN_NO_NAME.search(self.file)
        ):
            raise InvalidInput(
                f"file must be the name of a file: 1-{_MAX_FILE_BYTES} bytes, without a slash, "
                "${ or control characters"
            )

    @property
    def model(self) -> str:
        """The model's name in the target, not checked yet."""
        return self.target.partition("@")[0]

    @property
    def canonical(self) -> str:
        """The same text for whatever asks for the same."""
        plain = asdict(self)
        if self.deadline_s is None:  # so what was asked before there were deadlines is the same
            del plain["deadline_s"]
        return json.dumps(plain, sort_keys=True)

    def key(self, folder: str) -> str:
        """Return the key of the inbox where the file makes the job; *folder* is no other's."""
        return f"inbox/{self.target}/{folder}/{self.file}"

"""Why a model server did not come up."""

import re
from pathlib import Path

# Triton: E1126 15:27:02.895403 14341 model_lifecycle.cc:642] "failed to load '…' version 1: …"
_FAILED = re.compile(
    r"(?:failed to load|Poll failed for model directory) '[^']*'(?: version \d+)?: (?P<reason>.*)"
)
_ESCAPED = {r"\n": "\n", r"\"": '"', r"\\": "\\"}


class ModelServerFailed(Exception):
    """A server that did not come up; nothing of it is left.

    Attributes:
        reason: its own words for why.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The model cannot be served: {reason}")
        self.reason = reason


def reason_in(log: Path, *, after: int) -> str:
    """Return what a server that ended printed as its reason, behind so many bytes of its log."""
    with log.open("rb") as file:
        file.seek(after)
        printed = file.read().decode(errors="replace").strip()
    for line in printed.splitlines():
        if found := _FAILED.search(line):
            return _sentence(found["reason"])
    return printed.rpartition("\n")[2] or "it ended without a word"


def _sentence(quoted: str) -> str:
    """Return a line of Triton's without quotes, escapes and the frames of our backend."""
    text = re.sub(r"\\[n\"\\]", lambda match: _ESCAPED[match[0]], quoted.removesuffix('"'))
    return text.partition("\n\nAt:\n")[0].removeprefix("Internal: ").strip()

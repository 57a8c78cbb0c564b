"""What a file holds, by its first bytes, as `headrace_runtime.codec.content` tells it.

That module reads JSON and zstd with libraries that a caller need not have.
"""

import json
import re
from typing import Literal

from headrace.plain_bytes import plain_name
from headrace_runtime.errors import InvalidInput

Kind = Literal["csv", "tsv", "jsonl", "npy", "npz", "bin", "parquet"]

HEAD_BYTES = 256 << 10
_BOM = b"\xef\xbb\xbf"
_REQUEST = (  # what an infer request has and a record has not
    re.compile(rb'"inputs"\s*:\s*\[\s*\{'),
    re.compile(rb'"datatype"\s*:\s*"'),
    re.compile(rb'"shape"\s*:\s*\['),
)


def kind_of(head: bytes, name: str) -> Kind:
    """Return what a file holds: one of the service's words for it.

    Args:
        head: its first HEAD_BYTES, plain, or all of it.
        name: its name, the end of which counts where the bytes leave a doubt.

    Raises:
        InvalidInput: it is empty, or holds nothing that the service reads.
    """
    if not head:
        raise InvalidInput("the file is empty")
    return _binary(head) or _text(head.removeprefix(_BOM), _suffix(name))


def _suffix(name: str) -> str:
    return plain_name(name.lower()).rpartition(".")[2] if "." in name else ""


def _binary(head: bytes) -> Kind | None:
    magics: dict[bytes, Kind] = {
        b"\x93NUMPY": "npy",
        b"PAR1": "parquet",
        b"PK\x03\x04": "npz",
        b"PK\x05\x06": "npz",
    }
    for magic, kind in magics.items():
        if head.startswith(magic):
            return kind
    if head.lstrip().startswith(b"{") and all(pattern.search(head) for pattern in _REQUEST):
        return "bin"
    if b"\0" in head.partition(b"\n")[0]:
        raise InvalidInput(
            "the file is neither text nor a format that is known: send CSV, TSV, JSON Lines, "
            "Parquet, NPY, NPZ or an infer request"
        )
    return None


def _text(head: bytes, suffix: str) -> Kind:
    start = head.lstrip()
    first = start.partition(b"\n")[0].rstrip()
    if first in (b"[", b"{"):
        raise InvalidInput(
            "the file is one JSON document over several lines: write one record a line (JSON Lines)"
        )
    table = suffix in ("csv", "tsv", "tab", "txt")
    if _is_json(first) or (start[:1] in (b"{", b"[") and not table):
        return "jsonl"
    if suffix in ("jsonl", "ndjson", "json"):
        return "jsonl"
    tabs = first.count(b"\t")
    if tabs > max(first.count(b","), first.count(b";")) or suffix in ("tsv", "tab"):
        return "tsv"
    return "csv"


def _is_json(line: bytes) -> bool:
    if line[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(line)
    except ValueError:
        return False
    return True

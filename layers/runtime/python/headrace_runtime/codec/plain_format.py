"""What a plain file holds, by its first bytes; its name counts only where they leave a doubt.

Callers ask this, too, so nothing is imported that they need not have.
"""

import json
import re

from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.errors import InvalidInput

HEAD_BYTES = 256 << 10  # a block of zstd, which is readable whole or not at all, may have 128 kB

# What is no text and not read, by its first bytes, and what to do.
_OTHERS: dict[bytes, str] = {
    b"PARE": "Parquet with an encrypted footer: write it without encryption",
    b"ARROW1": "Arrow, which is not read: write CSV or NPY",
    b"Obj\x01": "Avro, which is not read: write CSV or JSON Lines",
    b"ORC": "ORC, which is not read: write CSV",
    b"\x89HDF": "HDF5, which is not read: write NPY",
    b"SQLite format 3": "an SQLite database: export its table as CSV",
    b"BZh": "compressed with bzip2: compress it with gzip or zstd",
    b"\xfd7zXZ": "compressed with xz: compress it with gzip or zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4: compress it with gzip or zstd",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Office document: save it as CSV",
    b"\x80\x02": "a pickle, which is never read: write CSV, JSON Lines or NPY",
    b"\x80\x03": "a pickle, which is never read: write CSV, JSON Lines or NPY",
    b"\x80\x04": "a pickle, which is never read: write CSV, JSON Lines or NPY",
    b"\x80\x05": "a pickle, which is never read: write CSV, JSON Lines or NPY",
    b"%PDF": "a PDF document: export its table as CSV",
    b"\x7fELF": "a program",
    b"<!": "HTML: export its table as CSV",
    b"<html": "HTML: export its table as CSV",
    b"<?xml": "XML: export its table as CSV",
}
_BOM = b"\xef\xbb\xbf"
_REQUEST = (  # what an infer request has and a record has not
    re.compile(rb'"inputs"\s*:\s*\[\s*\{'),
    re.compile(rb'"datatype"\s*:\s*"'),
    re.compile(rb'"shape"\s*:\s*\['),
)


def format_of(head: bytes, name: str) -> FileFormat:
    """Return what a file is.

    Args:
        head: its first HEAD_BYTES, plain, or all of it.
        name: its name or key.

    Raises:
        InvalidInput: it is empty, or of a format that is not read; the sentence says what.
    """
    if not head:
        raise InvalidInput("the file is empty")
    return _binary(head) or _text(head.removeprefix(_BOM), _suffix(name))


def _suffix(name: str) -> str:
    file = name.rsplit("/", 1)[-1].lower()
    for ending in (".gz", ".gzip", ".zst", ".zstd"):
        file = file.removesuffix(ending)
    return file.rpartition(".")[2] if "." in file else ""


def _binary(head: bytes) -> FileFormat | None:
    if head.startswith(b"\x93NUMPY"):
        return FileFormat.NPY
    if head.startswith(b"PAR1"):
        return FileFormat.PARQUET
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        # The length of an entry's name stands at 26, the name itself at 30.
        entry = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        if entry.endswith(b".npy"):
            return FileFormat.NPZ
        raise InvalidInput(
            "the file is a ZIP archive without arrays (an Excel sheet is one, too): save it as CSV"
        )
    if head.lstrip().startswith(b"{") and all(pattern.search(head) for pattern in _REQUEST):
        return FileFormat.OPEN_INFERENCE
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise InvalidInput(f"the file is {what}")
    if b"\0" in head.partition(b"\n")[0]:
        raise InvalidInput(
            "the file is neither text nor a format that is known: drop CSV, TSV, JSON Lines, NPY, "
            "NPZ or an infer request"
        )
    return None


def _text(head: bytes, suffix: str) -> FileFormat:
    start = head.lstrip()
    first = start.partition(b"\n")[0].rstrip()
    if first in (b"[", b"{"):
        raise InvalidInput(
            "the file is one JSON document over several lines: write one record a line (JSON Lines)"
        )
    table = suffix in ("csv", "tsv", "tab", "txt")
    if _is_json(first) or (start[:1] in (b"{", b"[") and not table):
        return FileFormat.JSON_LINES
    if suffix in ("jsonl", "ndjson", "json"):
        return FileFormat.JSON_LINES
    tabs = first.count(b"\t")
    if tabs > max(first.count(b","), first.count(b";")) or (suffix in ("tsv", "tab")):
        return FileFormat.TSV
    return FileFormat.CSV


def _is_json(line: bytes) -> bool:
    if line[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True

"""Cells that a spreadsheet would run, made harmless: an apostrophe is put before them."""

import re

_RUN = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(
    r"[ \t]*[+-]?(?:[0-9.]+(?:[eE][+-]?[0-9]+)?|nan|inf|infinity)[ \t]*", re.IGNORECASE
)
# The beginning of a cell that may be one of those: quickly looked for in a row's own text.
_SUSPECT = re.compile(r'(?:^|[,;\t"])[=+\-@\t\r]')
_QUOTED = re.compile(r'[",;\t\r\n]')


def harmless(text: str) -> str:
    """Return a cell's text, with an apostrophe before it if a spreadsheet would run it.

    Numbers stay as they are, signed ones too.
    """
    return "'" + text if text.startswith(_RUN) and not _NUMBER.fullmatch(text) else text


def cell(text: str) -> str:
    """Return a cell's text, harmless and quoted where any delimiter would tear it."""
    text = harmless(text)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def row_text(raw: str, cells: list[str], delimiter: str) -> bytes:
    """Return a row as it came, byte for byte; it is written anew where a cell had to be changed.

    Args:
        raw: the row's own text, without the end of its line.
        cells: what it holds.
        delimiter: what stands between its cells.
    """
    if _SUSPECT.search(raw) and any(harmless(one) is not one for one in cells):
        raw = delimiter.join(map(cell, cells))
    return raw.encode()

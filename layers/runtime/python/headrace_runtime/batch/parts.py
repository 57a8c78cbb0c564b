"""The parts of a job's shards, as one file: which they are, and that they fit each other."""

from collections.abc import Sequence
from hashlib import sha256

from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.shard import Part
from headrace_runtime.errors import ModelUnfit


def one_file(parts: Sequence[Part]) -> list[Part]:
    """Return the parts whose results, one behind the other, are the file of results.

    The file's first part begins with the layout. Where none of its records has an answer, that
    was a guess by the signature: then the layout of the others stands in its place.

    Raises:
        ModelUnfit: the outputs of some records have other shapes than those of others.
    """
    filled = [part for part in parts if part.results_bytes]
    layouts = {part.layout for part in filled}
    if len(layouts) <= 1:
        return filled
    first, *others = filled
    guessed = not first.counts.rows_ok and first.results_bytes == len(first.layout)
    if guessed and len({part.layout for part in others}) == 1:
        return [_layout_alone(others[0].layout), *others]
    raise ModelUnfit(
        "the outputs of some records have other shapes than those of others: a file has one "
        "layout, drop JSON Lines"
    )


def layout_bytes(layout: str) -> bytes:
    """Return a layout as it stands in the file."""
    return layout.encode("latin-1")


def _layout_alone(layout: str) -> Part:
    digest = sha256(layout_bytes(layout)).hexdigest()
    return Part(Counts(), results_bytes=len(layout), sha256=digest, layout=layout)

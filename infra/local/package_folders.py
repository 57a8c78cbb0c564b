"""Third-party packages as Lambda would have them: those of a layer and no others.

The virtual environment holds everything that the repository needs. A function that imports what
its layers lack must fail here as it would on AWS, so each third-party layer becomes a folder of
links to the very packages that its requirements.txt names.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==")
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
# What Lambda's Python itself brings; layers come before it.
_RUNTIME = ("boto3", "awslambdaric")


def link_layer(requirements: Path, folder: Path) -> None:
    """Fill *folder* with the packages that a layer's requirements.txt pins."""
    pinned = map(_PINNED.match, requirements.read_text().splitlines())
    _link((found.group(1) for found in pinned if found), folder)


def link_runtime(folder: Path) -> None:
    """Fill *folder* with what Lambda's Python itself brings, and what that requires."""
    names = list(_RUNTIME)
    for name in names:  # grows as it goes
        names.extend(one for one in _required(name) if one not in names)
    _link(names, folder)


def _link(names: Iterable[str], folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in names:
        # What is not installed is not there: the import that misses it names it.
        with suppress(PackageNotFoundError):
            found = distribution(name)
            for top in _tops(found):
                link = folder / top
                if not link.exists():
                    link.symlink_to(Path(str(found.locate_file(top))).resolve())


def _tops(found: Distribution) -> set[str]:
    tops = {file.parts[0] for file in found.files or ()}
    return {top for top in tops if top not in {"..", "__pycache__"}}


def _required(name: str) -> Iterator[str]:
    with suppress(PackageNotFoundError):
        for line in distribution(name).requires or ():
            requirement, _, marker = line.partition(";")
            found = _NAME.match(requirement)
            if found and "extra" not in marker:
                yield found.group().lower()

"""Types of files, named by the model that the package `magika` ships."""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from magika import Magika

from headrace import Client
from headrace_runtime.tensor import Array

# One of each kind that this repository has, and a folder's worth of bytes that are no text.
SAMPLES = (
    "README.md",
    "Makefile",
    "pyproject.toml",
    "cdk.json",
    "LICENSE",
    ".ci/run",
    "infra/demo/file_types.py",
    "requirements/dev.txt",
)


@dataclass(frozen=True, slots=True)
class FileTypes:
    """The package's model, and how files are put before it.

    Attributes:
        graph: the ONNX model, INT32[-1, 2048] in, FP32[-1, labels] out.
        labels: what each column of the answer stands for.
        beg_size, end_size: how many bytes of a file's beginning and end are looked at.
        padding: stands where a file has no byte.
        block_size: how far in white space is skipped.
    """

    graph: bytes
    labels: list[str]
    beg_size: int
    end_size: int
    padding: int
    block_size: int

    def features(self, content: bytes) -> Array:
        """Return the row of INT32[2048] that stands for a file, white space at its ends skipped."""
        head = content[: self.block_size].lstrip()[: self.beg_size]
        tail = content[-self.block_size :].rstrip()[-self.end_size :]
        row = np.full(self.beg_size + self.end_size, self.padding, np.int32)
        row[: len(head)] = list(head)
        row[len(row) - len(tail) :] = list(tail)
        return row


def shipped() -> FileTypes:
    """Return the model as the installed package has it."""
    folder = files("magika") / "models" / "standard_v3_3"
    config = json.loads((folder / "config.min.json").read_text())
    return FileTypes(
        graph=(folder / "model.onnx").read_bytes(),
        labels=config["target_labels_space"],
        beg_size=config["beg_size"],
        end_size=config["end_size"],
        padding=config["padding_token"],
        block_size=config["block_size"],
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What a file is: by the model behind Headrace, how sure it is, and by the package itself."""

    path: str
    label: str
    score: float
    by_package: str


def named(client: Client, types: FileTypes, root: Path) -> list[Named]:
    """Ask for the types of this repository's own files, all in one call."""
    contents = [(root / path).read_bytes() for path in SAMPLES]
    rows = np.stack([types.features(content) for content in contents])
    (scores,) = client.predict("file-types", rows).values()
    package = Magika()
    return [
        Named(
            path,
            types.labels[int(np.argmax(row))],
            float(np.max(row)),
            str(package.identify_bytes(content).dl.label),
        )
        for path, content, row in zip(SAMPLES, contents, scores, strict=True)
    ]

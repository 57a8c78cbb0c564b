"""Words for what a file is."""

from dataclasses import dataclass
from enum import StrEnum


class FileFormat(StrEnum):
    """Formats of dropped files, by the end of the name that their results have."""

    CSV = "csv"
    TSV = "tsv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"
    NPY = "npy"
    NPZ = "npz"
    OPEN_INFERENCE = "bin"


class Compression(StrEnum):
    """How a file is compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is."""

    format: FileFormat
    compression: Compression = Compression.NONE

"""Manifests: the facts of one version, written once at registration."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from headrace_runtime.model.signature import Signature


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file from which a version is served.

    Attributes:
        key: where it lies in the models bucket, `artifacts/<digest>/<file name>`.
        digest: sha256 of its bytes, hex; checked before every load.
    """

    key: str
    digest: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        """The name that the file must have on disk; the graph refers to its weights by it."""
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Profile:
    """What the trial run measured.

    Attributes:
        load_ms, run_ms: CPU milliseconds of loading, and of one run with a batch of one; a run of
            0 says that no value made up for the trial suited the model.
        peak_memory_bytes: growth of the process's resident memory through load and runs.
        onnxruntime: version of ONNX Runtime that ran the trial; its verdict holds for that one.
        optimise: False where the graph loads only with optimisation off.
        deterministic: False where two runs on the same values differed.
    """

    load_ms: float
    run_ms: float
    peak_memory_bytes: int
    onnxruntime: str
    optimise: bool
    deterministic: bool = True


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one version.

    Attributes:
        digest: sha256 of the bytes that were dropped, hex: the version's identity.
        origin: where they were dropped, `s3://bucket/key?versionId=id`.
        files: what is served, the graph first; a model above 10 MB has its weights in a second
            file, which is mapped into memory and not read through.
        registered_at: ISO 8601, UTC.
    """

    model: str
    version: int
    digest: str
    size_bytes: int
    origin: str
    signature: Signature
    files: tuple[StoredFile, ...]
    profile: Profile
    registered_at: str

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as plain JSON values."""
        return asdict(self) | {
            "signature": self.signature.to_dict(),
            "files": [asdict(file) for file in self.files],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote."""
        return cls(
            **{
                **plain,
                "signature": Signature.from_dict(plain["signature"]),
                "files": tuple(StoredFile(**file) for file in plain["files"]),
                "profile": Profile(**plain["profile"]),
            }
        )

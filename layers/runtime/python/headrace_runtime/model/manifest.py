"""Manifests: the facts of one version, written once at registration."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from headrace_runtime.model.acceleration import UNCHOSEN, Acceleration, Accelerator
from headrace_runtime.model.signature import Signature

OLDER_THAN_ARCHIVES = (
    "it was registered before models were made ready for GPUs: "
    "publish it again, and choose an accelerator"
)


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
        row_ms: CPU milliseconds of one more record in a run of many; 0 where it was not measured.
        row_bytes: of memory that one more record in a run of many took; 0 where it did not show.
    """

    load_ms: float
    run_ms: float
    peak_memory_bytes: int
    onnxruntime: str
    optimise: bool
    deterministic: bool = True
    row_ms: float = 0.0
    row_bytes: int = 0

    @property
    def ms_per_row(self) -> float:
        """CPU milliseconds that a record costs where many run together; of a run of one, else."""
        return self.row_ms or self.run_ms


@dataclass(frozen=True, slots=True)
class Archive:
    """What Triton serves a version from, on SageMaker.

    Attributes:
        file: a `model.tar.gz`.
        rows_at_once: records of a request at most; 1 where the model takes one record a run.
    """

    file: StoredFile
    rows_at_once: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one version.

    Attributes:
        digest: sha256 of the bytes that were dropped, hex.
        origin: where they were dropped, `s3://bucket/key?versionId=id`.
        files: what is served, the graph first; a model above 10 MB has its weights in a second
            file, which is mapped into memory and not read through.
        registered_at: ISO 8601, UTC.
        acceleration: what was chosen when it was dropped.
        archive: for Triton; None where the version can or may run on the CPU alone.
        unfit_for_gpu: one sentence that says why Triton cannot serve it, "" where it can.
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
    acceleration: Acceleration = UNCHOSEN
    archive: Archive | None = None
    unfit_for_gpu: str = OLDER_THAN_ARCHIVES

    @property
    def identity(self) -> str:
        """What tells it from all other versions of its model."""
        return self.digest + self.acceleration.mark

    @property
    def may_use_gpu(self) -> bool:
        """Whether there is something for a GPU to run, and it may."""
        return self.archive is not None and self.acceleration.accelerator is not Accelerator.NEVER

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as plain JSON values."""
        return asdict(self) | {
            "signature": self.signature.to_dict(),
            "files": [asdict(file) for file in self.files],
            "acceleration": self.acceleration.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` wrote, be it before there was anything for GPUs."""
        archive = plain.get("archive")
        return cls(
            **{
                **plain,
                "signature": Signature.from_dict(plain["signature"]),
                "files": tuple(StoredFile(**file) for file in plain["files"]),
                "profile": Profile(**plain["profile"]),
                "acceleration": Acceleration.from_dict(plain.get("acceleration", {})),
                "archive": None if archive is None else _archive(archive),
            }
        )


def _archive(plain: Mapping[str, Any]) -> Archive:
    return Archive(StoredFile(**plain["file"]), plain["rows_at_once"])

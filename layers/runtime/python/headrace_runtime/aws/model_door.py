"""The one door for every model: a dropped object becomes a version, or a refusal, once."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headrace_runtime.aws.models_bucket import Dropped, ModelsBucket
from headrace_runtime.aws.registration import Registration
from headrace_runtime.errors import DigestMismatch, ModelRefused
from headrace_runtime.model.manifest import Manifest, StoredFile
from headrace_runtime.validation.byte_rules import check_size
from headrace_runtime.validation.limited_process import Limits
from headrace_runtime.validation.verdict import Verdict, examine


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a dropped model.

    Attributes:
        rule: the rule that it broke, None where it is a version.
        version: the version that it is, None where it was refused.
        new: whether this decision was made just now, not at an earlier delivery.
    """

    digest: str
    version: int | None
    rule: str | None
    new: bool


class ModelDoor:
    """Decides on dropped models.

    Artifacts are stored before the registry is written, so whoever dies in between leaves nothing
    that is read, and whoever comes again does the same again.
    """

    def __init__(
        self, bucket: ModelsBucket, registry: Registration, *, limits: Limits, max_bytes: int
    ) -> None:
        self._bucket = bucket
        self._registry = registry
        self._limits = limits
        self._max_bytes = max_bytes

    def decide(
        self, model: str, key: str, version_id: str | None, *, now: Callable[[], str]
    ) -> Decision:
        """Register or refuse the object, unless its bytes were decided on before.

        Args:
            model: the model's name.
            key: of the dropped object.
            version_id: of the object; None for its newest version.
            now: gives the time, ISO 8601 in UTC, at which the decision falls.

        Raises:
            ObjectNotFound: the object is gone; nothing was written.
            Unavailable, Conflict: a retry may help; the registry was not written.
        """
        with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
            file = Path(folder, "model.onnx")
            dropped = self._bucket.fetch(key, version_id, file, max_bytes=self._max_bytes)
            return self._known(model, dropped.digest) or self._decided(model, dropped, file, now)

    def _known(self, model: str, digest: str) -> Decision | None:
        version = self._registry.version_of(model, digest)
        if version is not None:
            return Decision(digest, version, None, new=False)
        refusal = self._registry.refusal(model, digest)
        return None if refusal is None else Decision(digest, None, refusal.rule, new=False)

    def _decided(
        self, model: str, dropped: Dropped, file: Path, now: Callable[[], str]
    ) -> Decision:
        try:
            check_size(dropped.size_bytes, limit_bytes=self._max_bytes)
            apart = file.parent / "apart"
            apart.mkdir()
            verdict = examine(file, apart, self._limits)
            stored = self._store(dropped.digest, file, verdict)
            manifest = self._registry.accept(
                model,
                lambda number: Manifest(
                    model=model,
                    version=number,
                    digest=dropped.digest,
                    size_bytes=dropped.size_bytes,
                    origin=dropped.origin,
                    signature=verdict.signature,
                    files=stored,
                    profile=verdict.profile,
                    registered_at=now(),
                ),
            )
        except ModelRefused as refusal:
            self._registry.refuse(
                model, dropped.digest, refusal, origin=dropped.origin, refused_at=now()
            )
            return Decision(dropped.digest, None, refusal.rule, new=True)
        return Decision(dropped.digest, manifest.version, None, new=True)

    def _store(self, digest: str, file: Path, verdict: Verdict) -> tuple[StoredFile, ...]:
        """Store the dropped bytes always, and return what serving loads."""
        whole = self._bucket.store(digest, [file])
        if verdict.files == (file,):
            return whole
        try:
            return self._bucket.store(digest, verdict.files)
        except DigestMismatch:
            # Another release of ONNX took these bytes apart before, in another way, and a version
            # of another model may be served from that. The bytes as dropped serve as well.
            return whole

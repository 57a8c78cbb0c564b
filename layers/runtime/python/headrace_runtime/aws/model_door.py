"""The one door for every model: a dropped object becomes a version, or a refusal, once."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from headrace_runtime.aws.models_bucket import Dropped, ModelsBucket
from headrace_runtime.aws.registration import Registration
from headrace_runtime.aws.triton_archive import write_archive
from headrace_runtime.errors import DigestMismatch, InvalidInput, ModelRefused
from headrace_runtime.model.acceleration import Acceleration, Accelerator, unknown_mark
from headrace_runtime.model.manifest import Archive, Manifest, StoredFile
from headrace_runtime.model.record_rows import rows_at_once
from headrace_runtime.model.triton_config import (
    MODEL_FILE,
    MODEL_FOLDER,
    config_pbtxt,
    unfit_for_triton,
)
from headrace_runtime.validation.byte_rules import check_size
from headrace_runtime.validation.limited_process import Limits
from headrace_runtime.validation.verdict import Verdict, examine

_APART = "apart"  # the folder for graph and weights of a large model


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


@dataclass(frozen=True, slots=True)
class _Drop:
    """An object on its way through the door.

    Attributes:
        file: its bytes on disk.
        now: gives the time, ISO 8601 in UTC.
    """

    model: str
    dropped: Dropped
    file: Path
    now: Callable[[], str]


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
        """Register or refuse the object, unless its bytes, with its choice, were decided on before.

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
            file = Path(folder, MODEL_FILE)
            dropped = self._bucket.fetch(key, version_id, file, max_bytes=self._max_bytes)
            drop = _Drop(model, dropped, file, now)
            try:
                chosen = Acceleration.from_text(dropped.metadata)
            except InvalidInput as error:
                mark = unknown_mark(dropped.metadata)
                unknown = ModelRefused("ACCELERATION", f"{error.sentence}: drop the model again")
                return self._known(drop, mark) or self._refused(drop, mark, unknown)
            return self._known(drop, chosen.mark) or self._decided(drop, chosen)

    def _known(self, drop: _Drop, mark: str) -> Decision | None:
        digest = drop.dropped.digest
        version = self._registry.version_of(drop.model, digest + mark)
        if version is not None:
            return Decision(digest, version, None, new=False)
        refusal = self._registry.refusal(drop.model, digest + mark)
        return None if refusal is None else Decision(digest, None, refusal.rule, new=False)

    def _decided(self, drop: _Drop, chosen: Acceleration) -> Decision:
        try:
            check_size(drop.dropped.size_bytes, limit_bytes=self._max_bytes)
            apart = drop.file.parent / _APART
            apart.mkdir()
            verdict = examine(drop.file, apart, self._limits)
            unfit = _unfit_for_gpu(verdict, chosen)
            manifest = self._registry.accept(drop.model, self._stored(drop, verdict, chosen, unfit))
        except ModelRefused as refusal:
            return self._refused(drop, chosen.mark, refusal)
        return Decision(manifest.digest, manifest.version, None, new=True)

    def _refused(self, drop: _Drop, mark: str, refusal: ModelRefused) -> Decision:
        dropped = drop.dropped
        self._registry.refuse(
            drop.model,
            dropped.digest + mark,
            refusal,
            origin=dropped.origin,
            refused_at=drop.now(),
        )
        return Decision(dropped.digest, None, refusal.rule, new=True)

    def _stored(
        self, drop: _Drop, verdict: Verdict, chosen: Acceleration, unfit: str
    ) -> Callable[[int], Manifest]:
        """Store what is served, and return what makes the manifest of a version."""
        files = self._store(drop, verdict)
        # The disk holds the model three times; the archive is as large, and so is what was split.
        shutil.rmtree(drop.file.parent / _APART)
        archive = None if unfit else self._archive(drop, verdict, chosen)
        return lambda number: Manifest(
            model=drop.model,
            version=number,
            digest=drop.dropped.digest,
            size_bytes=drop.dropped.size_bytes,
            origin=drop.dropped.origin,
            signature=verdict.signature,
            files=files,
            profile=verdict.profile,
            registered_at=drop.now(),
            acceleration=chosen,
            archive=archive,
            unfit_for_gpu=unfit,
        )

    def _store(self, drop: _Drop, verdict: Verdict) -> tuple[StoredFile, ...]:
        """Store the dropped bytes always, and return what serving loads."""
        digest = drop.dropped.digest
        whole = self._bucket.store(digest, [drop.file])
        if verdict.files == (drop.file,):
            return whole
        try:
            return self._bucket.store(digest, verdict.files)
        except DigestMismatch:
            # Another release of ONNX took these bytes apart before, in another way, and a version
            # of another model may be served from that. The bytes as dropped serve as well.
            return whole

    def _archive(self, drop: _Drop, verdict: Verdict, chosen: Acceleration) -> Archive | None:
        """Store what Triton serves, unless no GPU may ever."""
        if chosen.accelerator is Accelerator.NEVER:
            return None
        rows = rows_at_once(verdict.signature, verdict.profile, together=verdict.together)
        config = config_pbtxt(
            MODEL_FOLDER,
            verdict.signature,
            rows_at_once=rows,
            tensorrt=chosen.tensorrt,
            optimise=verdict.profile.optimise,
            warm_length=verdict.zeros_length,
        )
        archive = write_archive(drop.file, config, drop.file.parent)
        (stored,) = self._bucket.store(drop.dropped.digest, [archive])
        return Archive(stored, rows)


def _unfit_for_gpu(verdict: Verdict, chosen: Acceleration) -> str:
    """Return why no GPU can serve the model, "" where one can.

    Raises:
        ModelRefused: GPU_UNFIT; none can, and one was asked for.
    """
    unfit = unfit_for_triton(verdict.signature)
    if unfit and chosen.demands_gpu:
        raise ModelRefused("GPU_UNFIT", f"a GPU was asked for, and {unfit}")
    return unfit

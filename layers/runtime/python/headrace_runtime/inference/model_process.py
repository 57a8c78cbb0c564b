"""Predictions by a process of its own: what kills the model's process costs one run only.

Imports no ONNX Runtime: the child does.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Self

from headrace_runtime.inference.child_line import ChildDied, ChildLate
from headrace_runtime.inference.model_line import Fetched, ModelLine
from headrace_runtime.inference.process_failures import (
    InferenceCrashed,
    InferenceTimedOut,
    ModelKills,
    ModelTooLarge,
    RunCutShort,
)
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Tensor

_LOAD_LIMIT_S = 120.0  # registration would have given up long before


class ModelProcess:
    """Runs models in a child, which is started when it is needed, and again when it has died.

    For one thread: the child ends with the thread that started it.
    """

    def __init__(
        self, *, threads: int, memory_bytes: int, fetched: Fetched, run_limit_s: float = 30.0
    ) -> None:
        """Run versions as they are asked for.

        Args:
            threads: threads of one run.
            memory_bytes: of the models that the child keeps, estimated.
            fetched: gives the path of a version's graph while its context lasts.
            run_limit_s: seconds of wall clock after which a run is given up.
        """
        self._threads = threads
        self._memory_bytes = memory_bytes
        self._fetched = fetched
        self._run_limit_s = run_limit_s
        self._child: ModelLine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Number of the child's process; None while there is none."""
        return self._child.pid if self._child and self._child.alive else None

    def predict(
        self, manifest: Manifest, tensors: Sequence[Tensor], *, left_s: float
    ) -> list[Tensor]:
        """Return all outputs of the version for *tensors*, in memory of their own.

        The inputs are checked before the child is asked: what cannot succeed costs nothing.

        Args:
            manifest: the version's.
            tensors: every input.
            left_s: seconds that the caller has; what would last longer is broken off.

        Raises:
            UnfitInput: the tensors do not fit the signature.
            InferenceFailed, ModelUnfit, HeadraceError: as `Session` says of loading and running.
            InferenceCrashed: the child died of these values.
            InferenceTimedOut: the run took longer than any may.
            RunCutShort: *left_s* were over.
            ModelTooLarge: the model took more memory on trial than models have here.
            ModelKills: the child died twice as it loaded the model, or never ended loading.
            Unavailable: no child can be started, or the disk has no room for the tensors.
        """
        manifest.signature.check(tensors)
        took = manifest.profile.peak_memory_bytes
        if took > self._memory_bytes:
            raise ModelTooLarge(limit_bytes=self._memory_bytes, got_bytes=took)
        deadline = monotonic() + left_s
        child = self._holding(manifest, deadline)
        limit = monotonic() + self._run_limit_s
        try:
            return child.run(tensors, min(limit, deadline))
        except ChildDied as died:
            raise InferenceCrashed(died.signal_name) from None
        except ChildLate:
            cut_short = deadline < limit
            over = RunCutShort(left_s) if cut_short else InferenceTimedOut(self._run_limit_s)
            raise over from None

    def close(self) -> None:
        """End the child; another prediction would start another child."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _holding(self, manifest: Manifest, deadline: float) -> ModelLine:
        """Return a child that holds the version's model, loaded if need be."""
        deaths: list[str] = []
        while len(deaths) < 2:
            child = self._living()
            if child.held == manifest.digest:
                return child
            begun = monotonic()
            limit = begun + _LOAD_LIMIT_S
            try:
                child.load(manifest, self._fetched, min(limit, deadline))
            except ChildDied as died:
                deaths.append(died.signal_name or "itself")
            except ChildLate:
                if deadline < limit:
                    raise RunCutShort(deadline - begun) from None
                raise ModelKills(f"took more than {_LOAD_LIMIT_S:.0f} s to load it") from None
        raise ModelKills(f"died by {' and by '.join(deaths)} as it loaded the model")

    def _living(self) -> ModelLine:
        if self._child is None or not self._child.alive:
            self.close()
            self._child = ModelLine(threads=self._threads, memory_bytes=self._memory_bytes)
        return self._child

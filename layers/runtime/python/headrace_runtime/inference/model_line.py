"""The parent's end of a model's process, as `model_child` speaks."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic
from typing import Any

from headrace_runtime.errors import HeadraceError, InferenceFailed, ModelUnfit, Unavailable
from headrace_runtime.inference.child_line import ChildDied, ChildLate, ChildLine
from headrace_runtime.inference.tensor_memory import TensorMemory
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Tensor

_MODULE = "headrace_runtime.inference.model_child"
_START_LIMIT_S = 60.0

# What the child may report, by code; any other is a HeadraceError.
_FAILURES = {kind.code: kind for kind in (InferenceFailed, ModelUnfit, Unavailable)}

Fetched = Callable[[Manifest], AbstractContextManager[Path]]


class ModelLine:
    """A started child. What breaks off while an answer is due ends it: no answer comes late."""

    def __init__(self, *, threads: int, memory_bytes: int) -> None:
        """Start a child.

        Raises:
            Unavailable: it died, or was not ready within a minute.
        """
        self.held: str | None = None  # digest of the model that the next run is of
        self._inputs, self._outputs = TensorMemory.new(), TensorMemory.new()
        files = {"inputs": self._inputs.descriptor, "outputs": self._outputs.descriptor}
        settings = {"threads": threads, "memory_bytes": memory_bytes, **files}
        self._line = ChildLine(_MODULE, json.dumps(settings), descriptors=list(files.values()))
        try:
            self._line.hear(monotonic() + _START_LIMIT_S)
        except (ChildDied, ChildLate) as error:
            self.end()
            raise Unavailable("the model's process did not start: try again") from error

    @property
    def pid(self) -> int:
        """Number of the child's process."""
        return self._line.pid

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._line.alive

    def load(self, manifest: Manifest, fetched: Fetched, until: float) -> None:
        """Have it hold the version's model, from its cache or its files.

        Raises:
            ChildDied, ChildLate: as `ChildLine.hear` says.
            ModelUnfit, HeadraceError: as `Session` says of loading.
            Exception: whatever *fetched* raises.
        """
        self.held = None
        if "fetch" in self._ask({"model": manifest.to_dict()}, until):
            try:
                with fetched(manifest) as graph:
                    self._ask({"graph": str(graph)}, until)
            except BaseException:
                self.end()
                raise
        self.held = manifest.digest

    def run(self, tensors: Sequence[Tensor], until: float) -> list[Tensor]:
        """Return what the model that it holds makes of *tensors*.

        Raises:
            ChildDied, ChildLate: as `ChildLine.hear` says.
            InferenceFailed, ModelUnfit: as `Session` says of runs.
            Unavailable: the disk has no room for the tensors.
        """
        places = self._inputs.write(tensors)
        return self._outputs.read(self._ask({"run": places}, until)["outputs"])

    def end(self) -> None:
        """End the child."""
        self._line.end()
        self._inputs.close()
        self._outputs.close()

    def _ask(self, message: Mapping[str, Any], until: float) -> dict[str, Any]:
        try:
            self._line.say(message)
            answer = self._line.hear(until)
        except BaseException:
            self.end()
            raise
        if "failed" in answer:
            code, sentence, facts = answer["failed"]
            raise _FAILURES.get(code, HeadraceError)(sentence, **facts)
        return answer

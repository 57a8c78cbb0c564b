"""Inside a model's process: sessions by digest, runs on tensors that another process wrote.

One JSON object a line, each way. Heard: `{"model": manifest}`, answered by `{"fetch": true}` if
its files are wanted, which `{"graph": path}` says are there, and then by `{"loaded": true}`; and
`{"run": places}`, of the model named last, answered by `{"outputs": places}`. Either may be
answered by `{"failed": [code, sentence, facts]}`. `{"ready": true}` comes first of all.
"""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from headrace_runtime.errors import HeadraceError
from headrace_runtime.inference.bare_process import die_with_parent, own_pipe
from headrace_runtime.inference.session import Session
from headrace_runtime.inference.session_cache import SessionCache
from headrace_runtime.inference.tensor_memory import TensorMemory
from headrace_runtime.model.manifest import Manifest


class ModelChild:
    """Answers messages, one after the other."""

    def __init__(self, settings: dict[str, int], hear: Iterator[bytes], pipe: int) -> None:
        """Work as *settings* say: threads, memory_bytes, and the files inputs and outputs."""
        self._threads = settings["threads"]
        self._sessions = SessionCache(settings["memory_bytes"], load=self._load)
        self._inputs = TensorMemory(settings["inputs"])
        self._outputs = TensorMemory(settings["outputs"])
        self._hear = hear
        self._pipe = pipe
        self._session: Session | None = None

    def answer_all(self) -> None:
        """Answer until nobody asks any more."""
        self._say(ready=True)
        for line in self._hear:
            message = orjson.loads(line)
            try:
                if "model" in message:
                    self._hold(Manifest.from_dict(message["model"]))
                else:
                    self._run(message["run"])
            except HeadraceError as error:
                self._say(failed=[error.code, error.sentence, dict(error.facts)])

    def _hold(self, manifest: Manifest) -> None:
        self._session = self._sessions.session(manifest)
        self._say(loaded=True)

    def _load(self, manifest: Manifest) -> Session:
        self._session = None  # it may have had to leave the cache
        self._say(fetch=True)
        graph = orjson.loads(next(self._hear))["graph"]
        return Session(Path(graph), threads=self._threads, optimise=manifest.profile.optimise)

    def _run(self, places: list[dict[str, Any]]) -> None:
        if self._session is None:
            raise HeadraceError("no model was named to this process")
        outputs = self._session.run(self._inputs.view(places))
        self._say(outputs=self._outputs.write(outputs))

    def _say(self, **message: object) -> None:
        text = orjson.dumps(message) + b"\n"
        while text:
            text = text[os.write(self._pipe, text) :]


def main() -> None:
    """Do what `sys.argv[1]`, JSON, says, until the line is closed; then leave at once."""
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # where memory ends, this process is to go and not the function
        Path("/proc/self/oom_score_adj").write_text("1000")
    settings, lines = orjson.loads(sys.argv[1]), iter(sys.stdin.buffer.readline, b"")
    ModelChild(settings, lines, own_pipe()).answer_all()
    os._exit(0)


if __name__ == "__main__":
    main()

"""The SDK: a model published, called, and fed with files, over HTTPS."""

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Literal, Self, overload
from urllib.parse import quote

from headrace import dead_letters, publishing
from headrace.access import Keys, Policies
from headrace.arrays import Inputs
from headrace.connection import Connection
from headrace.job_calls import JobCalls
from headrace.metrics import Metrics, metrics
from headrace.predicting import Prediction, Predictor, Reference
from headrace.records import (
    Acceleration,
    Accelerator,
    Alias,
    Canary,
    Model,
    ModelSummary,
    Version,
)
from headrace_runtime.errors import InvalidInput


class Client(JobCalls):
    """A Headrace service, as its callers see it.

    Every method raises `ApiError` with the service's own sentence where the service refuses, and
    `Unreachable` where no answer comes. Calls that may be repeated without a second effect are,
    by themselves, while the service is busy or cannot be reached.

    Args:
        url: where the service answers: the stack's output `Url`. Default: $HEADRACE_URL, with
            $HEADRACE_API_KEY.
        api_key: sent as bearer token.
        timeout_s: for how long one answer may keep silent; a prediction takes at most 29 s.
        retries: how often a call that may be repeated is repeated.

    Attributes:
        keys, policies: who may call, and what they may do; for admins alone.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 60.0,
        retries: int = 4,
    ) -> None:
        if url is None:  # a key from the environment goes only where the environment says
            url, api_key = _service(), api_key or os.environ.get("HEADRACE_API_KEY")
        super().__init__(Connection(url, api_key, timeout_s=timeout_s, retries=retries))
        self._predictor = Predictor(self._connection)
        self.keys, self.policies = Keys(self._connection), Policies(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the sockets back; the client is of no use afterwards."""
        self._connection.close()

    @overload
    def publish(
        self,
        file: publishing.File,
        model: str,
        *,
        accelerator: Accelerator = "auto",
        realtime: bool = False,
        tensorrt: bool = False,
        wait: Literal[True] = True,
        timeout_s: float = 180.0,
    ) -> Version: ...

    @overload
    def publish(
        self,
        file: publishing.File,
        model: str,
        *,
        accelerator: Accelerator = "auto",
        realtime: bool = False,
        tensorrt: bool = False,
        wait: Literal[False],
        timeout_s: float = 180.0,
    ) -> Version | None: ...

    def publish(
        self,
        file: publishing.File,
        model: str,
        *,
        accelerator: Accelerator = "auto",
        realtime: bool = False,
        tensorrt: bool = False,
        wait: bool = True,
        timeout_s: float = 180.0,
    ) -> Version | None:
        """Make an ONNX model the next version of *model*, and return that version.

        A file that is a version already, with the same choice of accelerator, is that version
        still, and is not sent again.

        Args:
            file: a path, or the model's bytes.
            model: its name: 1-63 of a-z, 0-9 and inner hyphens.
            accelerator: `gpu` and `never` run it on GPUs alone and on CPUs alone; with `auto` each
                job runs where it costs less.
            realtime: let GPUs answer calls for a prediction, too: they cost while nobody calls.
            tensorrt: let TensorRT compile the model, which takes minutes when GPUs wake.
            wait: whether to wait for the verdict; without, None is returned while there is none.
            timeout_s: for how long to wait.

        Raises:
            ModelRefused: the model breaks a rule; the sentence says what to change.
            WaitedTooLong: there is no verdict yet; it may still come.
        """
        chosen = Acceleration(accelerator, realtime, tensorrt)
        return publishing.publish(
            self._connection, file, model, chosen, wait=wait, timeout_s=timeout_s
        )

    def models(self) -> list[ModelSummary]:
        """Return every model by name, those of which no version was accepted included."""
        listed = self._connection.get("/models")["models"]
        return [ModelSummary(model["name"], model["latest"]) for model in listed]

    def model(self, name: str) -> Model:
        """Return versions, aliases and refusals of a model."""
        return Model.from_json(self._connection.get(publishing.model_path(name)))

    def predict(
        self,
        model: str,
        inputs: Inputs,
        version: Reference | None = None,
        outputs: Sequence[str] | None = None,
    ) -> Prediction:
        """Return what a model makes of *inputs*: arrays by the output's name.

        Args:
            model: the model's name.
            inputs: arrays or nested lists by the input's name, or one alone where the model has
                one input. An array has exactly the input's dtype; a list takes it, strictly.
            version: a version, or an alias; without, the alias `live`.
            outputs: names of the outputs that are wanted; without, all.

        Raises:
            UnfitInput, InvalidInput: the inputs are not what the model takes; nothing was sent.
        """
        return self._predictor.predict(model, inputs, version, outputs)

    def alias(self, model: str, name: str) -> Alias:
        """Return where an alias of a model points."""
        return Alias.from_json(model, self._connection.get(_alias_path(model, name)))

    def move_alias(
        self,
        model: str,
        name: str,
        version: int,
        *,
        canary: Canary | None = None,
        revision: int | None = None,
    ) -> Alias:
        """Let an alias point to *version*, and return it as it stands then.

        Args:
            model: the model's name.
            name: the alias; it is made where there is none.
            version: serves every request that the canary does not.
            canary: a version on trial and its share of the requests.
            revision: the alias's revision that this move replaces; without, whatever stands.

        Raises:
            ApiError: with code CONFLICT where the alias is no longer at *revision*.
        """
        wanted: dict[str, Any] = {"version": version}
        if canary is not None:
            wanted["canary"] = {"version": canary.version, "weight": canary.weight}
        if revision is not None:
            wanted["revision"] = revision
        # With a revision, a second try would meet the first one's effect and report a conflict.
        moved = self._connection.send(
            "PUT", _alias_path(model, name), wanted, repeatable=revision is None
        )
        return Alias.from_json(model, moved)

    def dead_letters(self) -> dict[str, int]:
        """Return by queue how many messages wait that were given up. For admins alone."""
        return dead_letters.dead_letters(self._connection)

    def redrive(
        self,
        queue: str | None = None,
        *,
        max: int | None = None,  # noqa: A002 - the service's own word
    ) -> dict[str, int]:
        """Put messages that were given up back, and return how many, by queue. For admins alone.

        It is safe: what was done already is not done again.

        Args:
            queue: one of those that `dead_letters` names; without, all of them.
            max: how many at most, of all queues together; without, until none is left.
        """
        return dead_letters.redrive(self._connection, queue, max)

    def metrics(self, model: str | None = None, *, since_s: int = 3600) -> Metrics:
        """Return how the service fared in the last *since_s* seconds, 60 to 1,209,600 (14 days).

        Args:
            model: the one model; without, all that the caller may see.
            since_s: rounded up to whole minutes.
        """
        return metrics(self._connection, model, since_s)


def _service() -> str:
    url = os.environ.get("HEADRACE_URL")
    if not url:
        raise InvalidInput("which service? Give a URL, or set HEADRACE_URL")
    return url


def _alias_path(model: str, name: str) -> str:
    return f"{publishing.model_path(model)}/aliases/{quote(name, safe='')}"

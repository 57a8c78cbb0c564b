"""A model behind the checks that Triton's core makes before a backend sees a request."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import prod
from pathlib import Path
from typing import Any

from infra.local.triton.infer_call import InferCall, SentTensor
from infra.local.triton.infer_refusals import InferRefused, wrong
from infra.local.triton.infer_tensors import DATATYPES, from_binary
from infra.local.triton.onnx_model import Array, OnnxModel


class ServedModel:
    """A model and what its config.pbtxt says of it.

    Raises:
        ModelRefused: the two do not belong together.
    """

    def __init__(self, file: Path, config: Mapping[str, Any], *, threads: int) -> None:
        self._model = OnnxModel(file, config, threads=threads)
        self._inputs = {entry["name"]: entry for entry in config["input"]}
        self._outputs = {entry["name"]: entry for entry in config["output"]}
        self._rows_at_once: int = config["max_batch_size"]

    def answer(self, call: InferCall) -> list[tuple[str, str, Array]]:
        """Return name, datatype and values of each output asked for, in config.pbtxt's order.

        Raises:
            InferRefused: 400 for a call that does not fit the model, 500 for a run that failed.
        """
        if unknown := [name for name in call.outputs if name not in self._outputs]:
            raise wrong(f"unexpected inference output '{unknown[0]}' for model 'model'")
        self._check_names(call)
        inputs = {sent.name: self._checked(sent, call) for sent in call.inputs}
        wanted = [name for name in self._outputs if name in call.outputs or not call.outputs]
        try:
            arrays = self._model.run(inputs, wanted)
        except Exception as error:  # ONNX Runtime's errors have no class in common
            raise InferRefused(HTTPStatus.INTERNAL_SERVER_ERROR, str(error), plain=True) from error
        return [
            (name, DATATYPES[entry["data_type"]][0], self._reshaped(array, entry))
            for name, array in zip(wanted, arrays, strict=True)
            for entry in [self._outputs[name]]
        ]

    def _check_names(self, call: InferCall) -> None:
        names = [sent.name for sent in call.inputs]
        if twice := [name for name in names if names.count(name) > 1]:
            raise wrong(f"{_tag(call)} input '{twice[0]}' already exists in request")
        missing = sorted(self._inputs.keys() - names)
        if len(names) != len(self._inputs):
            raise wrong(
                f"{_tag(call)} expected {len(self._inputs)} inputs but got {len(names)} inputs for "
                f"model 'model'. Got input(s) {_listed(names)}, but missing required input(s) "
                f"{_listed(missing)}. Please provide all required input(s)."
            )
        if unknown := [name for name in names if name not in self._inputs]:
            raise wrong(f"unexpected inference input '{unknown[0]}' for model 'model'")

    def _checked(self, sent: SentTensor, call: InferCall) -> Array:
        entry = self._inputs[sent.name]
        expected = DATATYPES[entry["data_type"]][0]
        if sent.datatype != expected:
            raise wrong(
                f"{_tag(call)} inference input '{sent.name}' data-type is '{sent.datatype}', but "
                f"model 'model' expects '{expected}'"
            )
        rows = self._rows(sent, call)
        dims = [*([-1] if self._rows_at_once else []), *entry["dims"]]
        if len(dims) != len(sent.shape) or any(
            says not in {-1, has} for says, has in zip(dims, sent.shape, strict=True)
        ):
            raise wrong(
                f"{_tag(call)} unexpected shape for input '{sent.name}' for model 'model'. "
                f"Expected {_listed(dims)}, got {_listed(sent.shape)}. "
            )
        inner = entry["reshape"].get("shape", []) if "reshape" in entry else sent.shape[len(rows) :]
        return _elements(sent, call).reshape(*rows, *inner)

    def _rows(self, sent: SentTensor, call: InferCall) -> tuple[int, ...]:
        """Return the length that counts records, if there is one."""
        if not self._rows_at_once:
            return ()
        if not sent.shape:
            raise wrong(
                f"{_tag(call)} input '{sent.name}' has no shape but model requires batch dimension "
                "for 'model'"
            )
        if sent.shape[0] > self._rows_at_once:
            raise wrong(
                f"{_tag(call)} inference request batch-size must be <= {self._rows_at_once} for "
                "'model'"
            )
        if sent.shape[0] == 0:
            raise wrong(
                f"{_tag(call)} input byte size mismatch for input '{sent.name}' for model 'model'. "
                "Expected a record, got 0"
            )
        return sent.shape[:1]

    def _reshaped(self, array: Array, entry: Mapping[str, Any]) -> Array:
        if "reshape" not in entry:
            return array
        return array.reshape(*array.shape[: bool(self._rows_at_once)], *entry["dims"])


def _elements(sent: SentTensor, call: InferCall) -> Array:
    if not isinstance(sent.values, bytes):
        return sent.values
    try:
        flat = from_binary(sent.datatype, sent.values)
    except ValueError:
        flat = None
    if flat is None or len(flat) != prod(sent.shape):
        raise wrong(
            f"{_tag(call)} input byte size mismatch for input '{sent.name}' for model 'model'. "
            f"Expected {prod(sent.shape)} elements, got {len(sent.values)} bytes"
        )
    return flat


def _tag(call: InferCall) -> str:
    return f"[request id: {call.id or '<id_unknown>'}]"


def _listed(items: Sequence[int | str]) -> str:
    return f"[{','.join(repr(item) for item in items)}]"

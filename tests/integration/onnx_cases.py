"""ONNX's own node tests, as far as ONNX Runtime passes them and the protocol can carry them."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from onnx.backend.test import loader

from headrace_runtime.errors import ModelUnfit
from headrace_runtime.inference.graph_signature import signature_of
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Array, Datatype, Tensor, datatype_of


@dataclass(frozen=True)
class Case:
    """A model with inputs, and what ONNX Runtime answers when it is asked directly."""

    name: str
    graph: bytes
    signature: Signature
    inputs: tuple[Tensor, ...]
    outputs: tuple[Array, ...]
    rtol: float
    atol: float


def all_cases() -> list[Any]:
    """Return the node tests as the onnx package makes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return loader.load_node_model_tests()


def sample(cases: Sequence[Any], of_each: int) -> list[Any]:
    """Return at most *of_each* cases of every combination of datatypes, evenly spread."""
    groups: dict[tuple[str, ...], list[Any]] = {}
    for case in cases:
        sides = [array for side in case.data_sets[0] for array in side]
        if all(isinstance(array, np.ndarray) for array in sides):
            kinds = tuple(sorted({str(array.dtype) for array in sides}))
            groups.setdefault(kinds, []).append(case)
    picked = []
    for _, group in sorted(groups.items()):
        step = max(1, len(group) // of_each)
        picked += group[::step][:of_each]
    return picked


def carried(cases: Sequence[Any]) -> Iterator[Case]:
    """Give those that ONNX Runtime passes and whose tensors the protocol can carry."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    for case in cases:
        made = _made(case, lambda graph: onnxruntime.InferenceSession(graph, options))
        if made is not None:
            yield made


def _made(case: Any, load: Callable[[bytes], Any]) -> Case | None:
    graph = case.model.SerializeToString()
    given, expected = case.data_sets[0]
    try:
        session = load(graph)
        signature = signature_of(session)
        inputs = [_tensor(s.name, a) for s, a in zip(signature.inputs, given, strict=True)]
        feeds = {s.name: a for s, a in zip(signature.inputs, given, strict=True)}
        outputs = session.run(None, feeds)
        for got, want in zip(outputs, expected, strict=True):
            _assert_close(got, want, case.rtol, case.atol)
    except ModelUnfit:
        return None
    except Exception:  # noqa: BLE001 - ONNX Runtime does not pass this case, whatever it says
        return None
    if None in inputs:
        return None
    return Case(case.name, graph, signature, tuple(inputs), tuple(outputs), case.rtol, case.atol)


def _tensor(name: str, array: Any) -> Tensor | None:
    datatype = datatype_of(array) if isinstance(array, np.ndarray) else None
    if datatype is None:
        return None
    if datatype is Datatype.BYTES:
        flat = np.empty(array.size, np.object_)
        flat[:] = [str(text).encode() for text in array.ravel().tolist()]
        array = flat.reshape(array.shape)
    return Tensor(name, datatype, array)


def _assert_close(got: Any, want: Any, rtol: float, atol: float) -> None:
    if np.asarray(want).dtype.kind in "OU":
        np.testing.assert_array_equal(got, want)
        return
    assert got.shape == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol, atol)

"""One loaded model: tensors in, tensors out."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from headrace_runtime.errors import HeadraceError, InferenceFailed, ModelUnfit
from headrace_runtime.inference.class_maps import columns_of
from headrace_runtime.inference.graph_signature import signature_of
from headrace_runtime.tensor import Array, Datatype, Tensor, datatype_of

# All that is taken out of ONNX Runtime's error texts: they hold paths and the caller's values.
_OPERATOR = re.compile(r"while running (\w{1,60}) node")

_SILENT = 4  # only "fatal" is logged: error texts hold the caller's values


class Session:
    """A model in memory, ready to run; what it takes and gives stands in `signature`."""

    def __init__(self, graph: Path, *, threads: int, optimise: bool = True) -> None:
        """Load the model from a file, its weights mapped from a second file if it names one.

        Args:
            graph: path of the ONNX file. Never bytes: those take three times the memory.
            threads: threads of one run.
            optimise: False for a graph that loads only with optimisation off.

        Raises:
            ModelUnfit: it has inputs or outputs that no tensor of the Open Inference Protocol
                can carry.
            HeadraceError: ONNX Runtime cannot load it, though it did when it was registered.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not optimise:
            level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            options.graph_optimization_level = level
        try:
            self._session = onnxruntime.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # ORT raises many kinds, UnicodeDecodeError among them
            raise HeadraceError(
                f"the model cannot be loaded by ONNX Runtime {onnxruntime.__version__}"
            ) from error
        self._run_options = onnxruntime.RunOptions()
        self._run_options.log_severity_level = _SILENT
        self.signature = signature_of(self._session)

    def run(self, tensors: Sequence[Tensor], outputs: Sequence[str] = ()) -> list[Tensor]:
        """Return the outputs, in the order asked for.

        Args:
            tensors: every input of the model, already checked against its signature.
            outputs: names of the outputs that are wanted; all where empty.

        Raises:
            InferenceFailed: the model cannot run on these values, or an element of BYTES is not
                UTF-8 (text in ONNX always is).
            ModelUnfit: an output is none that a tensor of the protocol can carry.
        """
        names = list(outputs) or self.signature.output_names
        feeds = {tensor.name: _to_onnx(tensor) for tensor in tensors}
        try:
            values = self._session.run(names, feeds, self._run_options)
        except Exception as error:  # ORT raises many kinds; none of their texts may go out
            raise _failure(error) from error
        return [_from_onnx(name, value) for name, value in zip(names, values, strict=True)]


def _to_onnx(tensor: Tensor) -> Array:
    if tensor.datatype is not Datatype.BYTES:
        return tensor.array
    flat = np.empty(tensor.array.size, np.object_)
    try:
        flat[:] = [element.decode() for element in tensor.array.ravel().tolist()]
    except UnicodeDecodeError:
        raise InferenceFailed(
            f"input {tensor.name!r} holds bytes that are not UTF-8: text in ONNX always is",
            input=tensor.name,
        ) from None
    return flat.reshape(tensor.shape)


def _from_onnx(name: str, value: object) -> Tensor:
    if isinstance(value, list) and all(isinstance(record, dict) for record in value):
        return Tensor(name, Datatype.FP32, columns_of(value))
    array = np.asarray(value) if isinstance(value, np.ndarray | np.generic) else None
    datatype = None if array is None else datatype_of(array)
    if array is None or datatype is None:
        raise ModelUnfit(f"output {name!r} is no tensor that can be served: ask for the others")
    if datatype is Datatype.BYTES:
        flat = np.empty(array.size, np.object_)
        flat[:] = [text.encode() for text in array.ravel().tolist()]
        array = flat.reshape(array.shape)
    return Tensor(name, datatype, array)


def _failure(error: Exception) -> InferenceFailed:
    operator = _OPERATOR.search(str(error))
    where = f": operator {operator[1]} failed" if operator else ""
    return InferenceFailed(
        f"the model cannot run on these values{where}", operator=operator[1] if operator else None
    )

"""What Triton is told of a model: its `config.pbtxt`, in protobuf's text format."""

from collections.abc import Iterator, Sequence

from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.record_rows import takes_one
from headrace_runtime.model.signature import FREE, Signature, TensorSpec
from headrace_runtime.tensor import Datatype

MODEL_FOLDER = "model"  # in the archive, and the model's name for Triton
MODEL_FILE = "model.onnx"

_QUEUE_DELAY_US = 500  # that a request may wait for others to be run with
_WORKSPACE_BYTES = 1 << 30  # of TensorRT

# Else matrices are multiplied with ten bits of each number, and answers are not those of the CPU.
_CUDA = {"use_tf32": "0"}
_TENSORRT = {
    "precision_mode": "FP32",
    "max_workspace_size_bytes": str(_WORKSPACE_BYTES),
    "trt_engine_cache_enable": "true",
    "trt_engine_cache_path": "/tmp/tensorrt",  # noqa: S108 - in Triton's container, which is alone
}
_NO_OPTIMISATION = 2  # Triton's number for it


def unfit_for_triton(signature: Signature) -> str:
    """Return one sentence that says why Triton cannot serve the model, "" where it can."""
    try:
        takes_one(signature)
    except ModelUnfit as unfit:
        return unfit.sentence
    for side, specs in (("input", signature.inputs), ("output", signature.outputs)):
        for spec in specs:
            what = f"{side} {spec.name[:80]!r}"
            if spec.labels:
                return (
                    f"{what} is a map of classes, which Triton does not serve: export with "
                    "skl2onnx options={'zipmap': False}"
                )
            if spec.datatype is Datatype.BYTES:
                return f"{what} is text, which no GPU works on: give numbers for it"
            if not spec.shape:
                return f"{what} has no dimension, or an unknown number of them: declare its shape"
            if 0 in spec.shape:
                return f"{what} has a dimension of length 0, which Triton does not serve"
    return ""


def config_pbtxt(
    name: str,
    signature: Signature,
    *,
    rows_at_once: int,
    tensorrt: bool,
    optimise: bool = True,
    warm_length: int | None = None,
) -> str:
    """Return the text for a model that `unfit_for_triton` has nothing against.

    Requests are put together (dynamic batching) only where all inputs and outputs are records of
    at least one dimension, since Triton takes a tensor of bare numbers apart in another shape.

    Args:
        name: the model's for Triton.
        signature: inputs and outputs, which stand here explicitly.
        rows_at_once: records of a request at most; 1 where the model takes one record a run.
        tensorrt: whether TensorRT compiles what it can of the graph, in FP32.
        optimise: False for a graph that loads only with ONNX Runtime's optimisation off.
        warm_length: of free dimensions in a run on zeros when the model is loaded; None for no
            such run.
    """
    batched = rows_at_once > 1 and all(
        len(spec.shape) > 1 and spec.shape[0] == FREE
        for spec in (*signature.inputs, *signature.outputs)
    )
    return "\n".join(
        [
            f"name: {_text(name)}",
            'backend: "onnxruntime"',
            f"default_model_filename: {_text(MODEL_FILE)}",
            f"max_batch_size: {rows_at_once if batched else 0}",
            *(f"input {{ {_tensor(spec, batched=batched)} }}" for spec in signature.inputs),
            *(f"output {{ {_tensor(spec, batched=batched)} }}" for spec in signature.outputs),
            "instance_group { kind: KIND_AUTO count: 1 }",
            "version_policy { latest { num_versions: 1 } }",
            _optimisation(tensorrt=tensorrt, optimise=optimise),
            *([_batching(rows_at_once)] if batched else []),
            *(
                _warm_up(signature.inputs, rows, warm_length, batched=batched)
                # TensorRT compiles anew for more records than it has seen: it sees the most.
                for rows in sorted({1, rows_at_once} if tensorrt else {1})
                if warm_length is not None
            ),
            "",
        ]
    )


def _tensor(spec: TensorSpec, *, batched: bool) -> str:
    dims = spec.shape[1:] if batched else spec.shape
    return f"name: {_text(spec.name)} {_kind(spec, dims)}"


def _kind(spec: TensorSpec, dims: Sequence[int]) -> str:
    return f"data_type: TYPE_{spec.datatype} dims: [ {', '.join(map(str, dims))} ]"


def _batching(rows: int) -> str:
    return (
        f"dynamic_batching {{ preferred_batch_size: [ {rows} ] "
        f"max_queue_delay_microseconds: {_QUEUE_DELAY_US} }}"
    )


def _optimisation(*, tensorrt: bool, optimise: bool) -> str:
    accelerators = ({"tensorrt": _TENSORRT} if tensorrt else {}) | {"cuda": _CUDA}
    chosen = "".join(
        f" gpu_execution_accelerator {{ name: {_text(name)} {' '.join(_parameters(parameters))} }}"
        for name, parameters in accelerators.items()
    )
    level = "" if optimise else f" graph {{ level: {_NO_OPTIMISATION} }}"
    return f"optimization {{{level} execution_accelerators {{{chosen} }} }}"


def _parameters(parameters: dict[str, str]) -> Iterator[str]:
    for key, value in parameters.items():
        yield f"parameters {{ key: {_text(key)} value: {_text(value)} }}"


def _warm_up(inputs: Sequence[TensorSpec], rows: int, length: int, *, batched: bool) -> str:
    values = []
    for spec in inputs:
        filled = [length if size == FREE else size for size in spec.shape]
        if spec.shape[0] == FREE:
            filled[0] = rows
        kind = _kind(spec, filled[1:] if batched else filled)
        values.append(f"inputs {{ key: {_text(spec.name)} value {{ {kind} zero_data: true }} }}")
    batch = rows if batched else 1
    return f'model_warmup {{ name: "zeros-{rows}" batch_size: {batch} {" ".join(values)} }}'


def _text(value: str) -> str:
    """Return *value* in quotes; whatever is not plain ASCII stands as octal numbers of its UTF-8.

    All three digits are given, so that a digit behind them is not taken for one of theirs.
    """
    plain = (
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}"
        for byte in value.encode()
    )
    return f'"{"".join(plain)}"'

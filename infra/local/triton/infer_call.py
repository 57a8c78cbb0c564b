"""A body of /invocations, as Triton reads and answers it: JSON, or JSON with raw values behind it.

Statuses and sentences are those that Triton 2.51 has for the same bodies: the contract's tests ask
both.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from infra.local.triton.infer_refusals import misread, unreadable, wrong
from infra.local.triton.infer_tensors import DATATYPES, from_json, to_binary, to_json
from infra.local.triton.onnx_model import Array

BINARY = "application/vnd.sagemaker-triton.binary+json;json-header-size="
_KNOWN = {name for name, _ in DATATYPES.values()}


@dataclass(frozen=True, slots=True)
class SentTensor:
    """An input as it was sent; nothing of it is compared with the model yet.

    Attributes:
        values: from JSON as many elements as the shape says; else raw, of whatever length.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Array | bytes


@dataclass(frozen=True, slots=True)
class InferCall:
    """What is asked.

    Attributes:
        id: to be echoed; empty for none.
        outputs: names of the wanted outputs and whether each is wanted raw; empty for all.
        all_binary: the same for all, where `outputs` is empty.
    """

    id: str
    inputs: tuple[SentTensor, ...]
    outputs: Mapping[str, bool] = field(default_factory=dict)
    all_binary: bool = False


def read_call(body: bytes, content_type: str) -> InferCall:
    """Return what a body asks.

    Raises:
        InferRefused: 500 for what is not JSON or not the protocol's, 400 for wrong sizes.
    """
    head, raw = _split(body, content_type)
    try:
        asked = json.loads(head.partition(b"\0")[0])  # Triton's reader takes 0 for the end
    except (ValueError, RecursionError) as error:
        raise unreadable(f"failed to parse the request JSON buffer: {error}") from error
    parameters = _member(asked, "parameters", dict, default={})
    return InferCall(
        id=_member(asked, "id", str, default=""),
        inputs=tuple(_inputs(_member(asked, "inputs", list), raw)),
        outputs=dict(map(_output, _member(asked, "outputs", list, default=[]))),
        all_binary=_member(parameters, "binary_data_output", bool, default=False),
    )


def write_answer(call: InferCall, answers: Sequence[tuple[str, str, Array]]) -> tuple[str, bytes]:
    """Return the content type and the body that answer with name, datatype and values of outputs.

    Raises:
        InferRefused: an output of FP16 is wanted as JSON.
    """
    described, raws = [], []
    for name, datatype, array in answers:
        entry = {"name": name, "datatype": datatype, "shape": array.shape}
        if call.outputs.get(name, False) if call.outputs else call.all_binary:
            raws.append(to_binary(datatype, array))
            described.append(entry | {"parameters": {"binary_data_size": len(raws[-1])}})
        else:
            described.append(entry | {"data": to_json(datatype, array)})
    identity = {"id": call.id} if call.id else {}
    whole = {**identity, "model_name": "model", "model_version": "1", "outputs": described}
    head = json.dumps(whole, separators=(",", ":")).encode()
    # Raw values of no bytes at all make no binary answer.
    content_type = f"{BINARY}{len(head)}" if any(raws) else "application/json"
    return content_type, b"".join([head, *raws])


def _split(body: bytes, content_type: str) -> tuple[bytes, bytes]:
    if not content_type.startswith(BINARY):
        length = len(body)
    else:
        digits = re.match(r"-?\d+", content_type.removeprefix(BINARY))
        length = int(digits[0]) if digits else 0
    if not 0 <= length <= len(body):
        raise wrong(
            f"inference header size should be in range (0, {len(body)}), got: {length}", plain=True
        )
    if length == 0:
        raise wrong("the stand-in takes no body without its JSON")
    return body[:length], body[length:]


def _inputs(entries: Sequence[Any], raw: bytes) -> Iterator[SentTensor]:
    """Give each input with the raw values that are its own, one behind the other."""
    at = 0
    for entry in entries:
        size = _size(entry)
        if size is None:
            yield _input(entry, None)
            continue
        if missing := max(0, at + size - len(raw)):
            raise wrong(
                f"unexpected size for input '{entry.get('name')}', expecting {missing} additional "
                "bytes for model 'model'"
            )
        yield _input(entry, raw[at : at + size])
        at += size
    if at != len(raw):
        raise wrong("unexpected additional input data for model 'model'")


def _input(entry: Any, raw: bytes | None) -> SentTensor:
    name = _member(entry, "name", str)
    shape = _member(entry, "shape", list)
    datatype = _member(entry, "datatype", str)
    if not all(type(length) is int and 0 <= length < 2**64 for length in shape):
        raise misread("shape", "JSON non-unsigned-integer as unsigned-integer")
    if datatype not in _KNOWN:
        raise wrong(f"invalid datatype for input {name}")
    values = from_json(name, datatype, prod(shape), entry["data"]) if raw is None else raw
    return SentTensor(name, datatype, tuple(shape), values)


def _size(entry: Any) -> int | None:
    """Return how many raw bytes an input has, None where its values are in the JSON."""
    told = entry.get("parameters") if isinstance(entry, dict) else None
    told = told if isinstance(told, dict) else {}  # Triton looks into no other
    given = ["'data'"] if isinstance(entry, dict) and "data" in entry else []
    given += ["'binary_data_size'"] if "binary_data_size" in told else []
    if len(given) != 1:
        found = f"But set {' '.join(given)}" if given else "But no field is set"
        raise wrong(
            "Input must set only one of the following fields: 'data', 'binary_data_size' in "
            f"'parameters', 'shared_memory_region' in 'parameters'. {found}"
        )
    size = told.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise misread("binary_data_size", "JSON non-unsigned-integer as unsigned-integer")
    return size


def _output(entry: Any) -> tuple[str, bool]:
    parameters = _member(entry, "parameters", dict, default={})
    binary: bool = _member(parameters, "binary_data", bool, default=False)
    return _member(entry, "name", str), binary


_WORDS = {str: "string", list: "array", dict: "object", bool: "boolean"}
_ABSENT = object()


def _member(holder: Any, name: str, kind: type, *, default: Any = _ABSENT) -> Any:
    value = holder.get(name, default) if isinstance(holder, dict) else default
    if value is _ABSENT:
        raise misread(name, f"non-existing object member '{name}'")
    if not isinstance(value, kind):
        raise misread(name, f"JSON non-{_WORDS[kind]} as {_WORDS[kind]}")
    return value

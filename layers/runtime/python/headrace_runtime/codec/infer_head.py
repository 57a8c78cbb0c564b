"""The JSON of an infer call, read and checked but for the values of its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from headrace_runtime.codec.json_text import read_json
from headrace_runtime.codec.request_parts import (
    datatype_of_input,
    member,
    objects,
    parameters_of,
    size_of,
)
from headrace_runtime.codec.shapes import checked_shape
from headrace_runtime.errors import InvalidInput
from headrace_runtime.tensor import Datatype


@dataclass(frozen=True, slots=True)
class InputHead:
    """What a request says of one input.

    Attributes:
        size: bytes of its raw values behind the JSON, or None where they stand in *data*.
        data: the elements as JSON values, flat or nested as *shape*.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    size: int | None
    data: Any


@dataclass(frozen=True, slots=True)
class InferHead:
    """What a request says, in the words of `open_inference.InferRequest`."""

    id: str | None
    inputs: tuple[InputHead, ...]
    outputs: tuple[str, ...]
    binary: Mapping[str, bool]
    binary_default: bool


def read_head(text: bytes | memoryview) -> InferHead:
    """Return what *text* says.

    Raises:
        InvalidInput: it is malformed; nothing else is raised, whatever the bytes.
    """
    head = read_json(text)
    if not isinstance(head, dict):
        raise InvalidInput("the body must be a JSON object with a list of inputs")
    inputs = tuple(_input(plain, f"inputs[{i}]") for i, plain in enumerate(objects(head, "inputs")))
    wanted = objects(head, "outputs") if head.get("outputs") is not None else []
    names = tuple(member(o, "name", str, f"outputs[{i}]") for i, o in enumerate(wanted))
    if len(set(names)) != len(names):
        raise InvalidInput("an output is asked for twice", path="outputs")
    return InferHead(
        id=None if head.get("id") is None else member(head, "id", str, "the body"),
        inputs=inputs,
        outputs=names,
        binary=_binary_flags(wanted, names),
        binary_default=_flag(parameters_of(head, "the body"), "binary_data_output") or False,
    )


# The same text says the same; an error is not remembered.
remembered_head = lru_cache(maxsize=128)(read_head)


def _input(plain: dict[str, Any], path: str) -> InputHead:
    size = size_of(parameters_of(plain, path), path)
    name = member(plain, "name", str, path)
    datatype = datatype_of_input(plain, path)
    shape = checked_shape(plain.get("shape"), f"{path}.shape")
    if size is not None and "data" in plain:
        raise InvalidInput(f"{path} has both data and binary_data_size: send one", path=path)
    if size is None and "data" not in plain:
        raise InvalidInput(f"{path} has neither data nor parameters.binary_data_size", path=path)
    return InputHead(name, datatype, shape, size, plain.get("data"))


def _binary_flags(wanted: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, bool]:
    flags = {}
    for index, (plain, name) in enumerate(zip(wanted, names, strict=True)):
        parameters = parameters_of(plain, f"outputs[{index}]")
        if parameters.get("classification"):
            raise InvalidInput(
                f"outputs[{index}].parameters.classification is not supported: ask for the "
                "output itself",
                path=f"outputs[{index}].parameters",
            )
        flag = _flag(parameters, "binary_data")
        if flag is not None:
            flags[name] = flag
    return flags


def _flag(parameters: dict[str, Any], name: str) -> bool | None:
    value = parameters.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput(f"parameter {name} must be true or false", path=f"parameters.{name}")
    return value

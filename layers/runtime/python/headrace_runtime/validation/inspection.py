"""A model read and judged by its text alone: parsed, checked against every rule, never loaded."""

import re

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto

from headrace_runtime.errors import ModelRefused
from headrace_runtime.validation import (
    byte_rules,
    function_rules,
    graph_rules,
    graph_walk,
    name_rules,
    tensor_rules,
    type_rules,
)

# Fields that our ONNX does not know, but ONNX Runtime's might: no more than a stray one.
MAX_UNKNOWN_BYTES = 64 * 1024

# The checker wants a shape on every output; ONNX Runtime does not, and exporters leave it out.
_NO_SHAPE = "Field 'shape' of 'type' is required but missing"


def parse(data: bytes) -> ModelProto:
    """Return the model that *data* spell, without the fields that this ONNX does not know.

    Raises:
        ModelRefused: NOT_ONNX.
    """
    byte_rules.check_head(data[: byte_rules.HEAD_BYTES])
    try:
        model: ModelProto = onnx.load_model_from_string(data)
        model.DiscardUnknownFields()
    except (DecodeError, UnicodeDecodeError, ValueError):
        raise ModelRefused(
            "NOT_ONNX",
            "the file cannot be read as an ONNX model: it is damaged, cut or something else; "
            "export it again and check that all of it was uploaded",
        ) from None
    return model


def check_known(model: ModelProto, *, file_bytes: int, moved_bytes: int) -> None:
    """Let a model pass that fills its file: no part of it went unread.

    Args:
        model: as `parse` gave it, or with its weights moved out. Protobuf finds the size of a
            message by writing it twice over, so for large models only the latter will do.
        file_bytes: size of the file.
        moved_bytes: of it, what was moved out.

    Raises:
        ModelRefused: UNKNOWN_FIELDS.
    """
    unknown = file_bytes - moved_bytes - model.ByteSize()
    if unknown > MAX_UNKNOWN_BYTES:
        raise ModelRefused(
            "UNKNOWN_FIELDS",
            f"{unknown:,} bytes of the file belong to no field of ONNX {onnx.__version__}: save "
            "it with onnx.save of this or an older version",
        )


def check(model: ModelProto) -> None:
    """Let a model pass that breaks no rule.

    Raises:
        ModelRefused: with the first rule that it breaks.
    """
    name_rules.check(model)
    graph_rules.check(model)
    function_rules.check(model)
    for tensor in graph_walk.tensors(model):
        tensor_rules.check(tensor)
    type_rules.check(model)


def check_structure(model: ModelProto) -> None:
    """Let a model pass that ONNX's own checker finds sound; weights may be left out of it.

    The model is no good for anything else afterwards.

    Raises:
        ModelRefused: STRUCTURE.
    """
    # Before IR 4 weights had to be inputs too. ONNX Runtime never minded, exporters forgot it.
    model.ir_version = max(model.ir_version, 4)
    try:
        onnx.checker.check_model(model, full_check=False)
    except (onnx.checker.ValidationError, UnicodeDecodeError, ValueError) as error:
        if _NO_SHAPE in str(error):
            return
        raise ModelRefused(
            "STRUCTURE",
            f"ONNX's checker finds the model unsound ({plain(str(error))}): mend the export until "
            "onnx.checker.check_model passes",
        ) from None


def plain(message: str) -> str:
    """Return a library's message fit to be shown: one short line, without paths of its build."""
    line = re.sub(r"\[ONNXRuntimeError\] : \d+ : (\w+) : ", "", message)
    line = re.sub(r"\S*/\S+/\S+\s?", "", line)
    line = "".join(c if c.isprintable() else " " for c in line)
    line = re.sub(r"\s+", " ", line).strip(" .")
    return line if len(line) <= 300 else f"{line[:300]}…"

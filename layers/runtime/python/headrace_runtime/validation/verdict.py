"""The verdict on a dropped model: what it is and how it is served, or why it is refused."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headrace_runtime.errors import ModelRefused
from headrace_runtime.model.manifest import Profile
from headrace_runtime.model.signature import Signature
from headrace_runtime.validation import limited_process, weights_file
from headrace_runtime.validation.limited_process import End, Ended, Limits

# DynamoDB holds 400 KB an item; a manifest is its signature and little else.
MAX_SIGNATURE_BYTES = 256 * 1024

_INSPECTION = "headrace_runtime.validation.inspection_child"
_TRIAL = "headrace_runtime.validation.trial_child"
_SPARE_BYTES = 16 << 20  # of a written file, over the model's own size: alignment


@dataclass(frozen=True, slots=True)
class Verdict:
    """A model that may be served.

    Attributes:
        files: what serving loads, the graph first: the dropped file itself, or its graph and
            weights where it is large.
        together: whether a run of several records answered each of them.
        zeros_length: of free dimensions in a run on nothing but zeros that went well; None where
            none did.
    """

    signature: Signature
    profile: Profile
    files: tuple[Path, ...]
    together: bool
    zeros_length: int | None


def examine(
    model: Path,
    directory: Path,
    limits: Limits,
    *,
    split_above_bytes: int = weights_file.SPLIT_ABOVE_BYTES,
) -> Verdict:
    """Judge the model in a file without ever loading it in this process.

    One limited child reads it and applies the static rules, a second loads and runs it: from
    the very files that serving will load.

    Args:
        model: the dropped file.
        directory: an empty folder, for graph and weights of a large model.
        limits: of each child; the first may also write files as large as the model.
        split_above_bytes: a larger model is taken apart.

    Raises:
        ModelRefused: a rule is broken, or the trial failed; the sentence says what to change.
        Unavailable: a child ended through no fault of the model.
    """
    work = {
        "model": str(model),
        "directory": str(directory),
        "split_above_bytes": split_above_bytes,
    }
    may_write = replace(limits, file_bytes=model.stat().st_size + _SPARE_BYTES)
    inspected = limited_process.run(_INSPECTION, work, may_write)
    if inspected.answer is None:
        raise _refusal(inspected, limits, "reading")
    names = (weights_file.GRAPH_FILE, weights_file.WEIGHTS_FILE)
    files = tuple(directory / name for name in names) if inspected.answer["split"] else (model,)
    answer, optimise = _tried_out(files[0], limits)
    signature = Signature.from_dict(answer.pop("signature"))
    if len(json.dumps(signature.to_dict())) > MAX_SIGNATURE_BYTES:
        raise ModelRefused(
            "SIGNATURE_TOO_LARGE",
            f"names of inputs, outputs and classes take more than {MAX_SIGNATURE_BYTES:,} bytes: "
            "join inputs into one tensor, or export with skl2onnx options={'zipmap': False}",
        )
    together, zeros_length = answer.pop("together"), answer.pop("zeros_length")
    profile = Profile(**answer, optimise=optimise)
    return Verdict(signature, profile, files, together, zeros_length)


def _tried_out(graph: Path, limits: Limits) -> tuple[dict[str, Any], bool]:
    """Return the trial's answer, and whether the model loads with optimisation on."""
    first = limited_process.run(_TRIAL, {"model": str(graph), "optimise": True}, limits)
    if first.answer is not None:
        return first.answer, True
    if "loaded" in first.stages:
        raise _refusal(first, limits, "running")
    # Some sound graphs kill ONNX Runtime's optimiser only (LayerNormalization's bias given as "").
    second = limited_process.run(_TRIAL, {"model": str(graph), "optimise": False}, limits)
    if second.answer is None:
        raise _refusal(first, limits, "loading")
    return second.answer, False


def _refusal(ended: Ended, limits: Limits, doing: str) -> ModelRefused:
    if ended.end is End.TIMED_OUT:
        return ModelRefused(
            "TRIAL_TIMED_OUT",
            f"{doing} the model takes more than {limits.cpu_s:g} s: export without unbounded "
            "loops and without huge constants computed in the graph, or make the model smaller",
        )
    if ended.end is End.OUT_OF_MEMORY:
        return ModelRefused(
            "TRIAL_OUT_OF_MEMORY",
            f"{doing} the model takes more than {limits.memory_bytes >> 20:,} MB of memory: "
            "quantise it, or export with smaller constants and shapes",
        )
    return ModelRefused(
        "TRIAL_CRASHED",
        f"{doing} the model kills ONNX Runtime ({ended.signal_name or 'no answer'}): export it "
        "again with another opset or a newer exporter, and check that onnxruntime runs it",
    )

"""Predictions by version: inputs checked, model at hand, outputs chosen; if it is run here."""

from collections.abc import Sequence

from headrace_runtime.inference.session_cache import SessionCache
from headrace_runtime.model.acceleration import Accelerator
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Tensor


def predict(
    manifest: Manifest,
    tensors: Sequence[Tensor],
    outputs: Sequence[str] = (),
    *,
    sessions: SessionCache,
) -> list[Tensor]:
    """Return the outputs that are wanted, all where *outputs* is empty.

    The inputs are checked before the model is loaded: a call that cannot succeed costs nothing.

    Raises:
        UnfitInput: the tensors do not fit the signature, or the model cannot run on them.
        UnknownOutput: an output is wanted that the model does not have.
    """
    manifest.signature.check(tensors)
    manifest.signature.check_outputs(outputs)
    return sessions.session(manifest).run(tensors, outputs)


def runs_here(manifest: Manifest, *, stage_has_gpus: bool) -> bool:
    """Whether calls for predictions are answered by this process itself, on the CPU.

    They are not where the version asks for a GPU, one can run it, and the stage has some.
    """
    chosen = manifest.acceleration
    asks = chosen.realtime or chosen.accelerator is Accelerator.GPU
    return not (asks and manifest.may_use_gpu and stage_has_gpus)

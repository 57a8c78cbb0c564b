"""How many records a model takes together: one a run or any number, and of one request."""

from collections.abc import Sequence
from math import prod

from headrace_runtime.errors import ModelUnfit
from headrace_runtime.model.manifest import Profile
from headrace_runtime.model.signature import FREE, Signature, TensorSpec

MOST_ROWS = 65_536

# For which a free dimension other than the first counts: a sentence's words, a small image's side.
GUESSED_LENGTH = 128

# Of the inputs of a request, and of its outputs: what SageMaker takes and gives in one call, less
# the JSON. Each request of a job costs some 14 ms of CPU besides its records, by all who handle it.
_REQUEST_BYTES = (6 << 20) - (64 << 10)
# Beside the model: the smallest GPU has 16 GB, and ONNX Runtime's arena may take twice of this.
_MEMORY_BYTES = 2 << 30


def takes_one(signature: Signature) -> bool:
    """Whether the model takes one record a run, not any number.

    Raises:
        ModelUnfit: it takes a fixed number of records above one, or nothing at all.
    """
    if not signature.inputs:
        raise ModelUnfit("the model has no input: there is nothing in a file that it could take")
    for spec in signature.inputs:
        if spec.shape[:1] not in ((), (1,), (FREE,)):
            raise ModelUnfit(
                f"input {spec.name!r} takes exactly {spec.shape[0]} records a run, and a file may "
                "hold any number: export the model with a free first dimension",
                expected=list(spec.shape),
            )
    return any(spec.shape[:1] != (FREE,) for spec in signature.inputs)


def rows_at_once(signature: Signature, profile: Profile, *, together: bool) -> int:
    """Return how many records a request to Triton may have: a power of two, 1 to MOST_ROWS.

    Inputs and outputs take 3 to 6 MB where records are small, and memory stays in bounds.

    Args:
        signature: the model's.
        profile: the model's.
        together: whether a run of several records answered each of them.

    Raises:
        ModelUnfit: the model takes a fixed number of records above one, or nothing at all.
    """
    if takes_one(signature) or not together:
        return 1
    largest = max(_row_bytes(signature.inputs), _row_bytes(signature.outputs))
    rows = min(MOST_ROWS, _REQUEST_BYTES // largest, _MEMORY_BYTES // max(1, profile.row_bytes))
    # Downwards, so that what was measured a little differently gives the same archive.
    return 1 << max(1, rows).bit_length() - 1


def _row_bytes(specs: Sequence[TensorSpec]) -> int:
    """Return what one record takes in all of them; of a guess where lengths are free."""
    lengths = ([GUESSED_LENGTH if n == FREE else n for n in spec.shape[1:]] for spec in specs)
    sizes = (spec.datatype.dtype.itemsize for spec in specs)
    return max(1, sum(prod(of) * size for of, size in zip(lengths, sizes, strict=True)))

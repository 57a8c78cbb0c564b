"""How a job can fail as a whole."""

from headrace_runtime.errors import InvalidInput, NotFound, OutOfTime, TooLarge, UnfitInput

# What no retry will mend.
PERMANENT = (InvalidInput, UnfitInput, NotFound, TooLarge, OutOfTime)


class ModelQuarantined(UnfitInput):
    """The model's process died again and again: no job is given to it for now."""


class IdempotencyMismatch(UnfitInput):
    """An Idempotency-Key came again with another body; nothing was done."""

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key came before with another body: send the same body again, or "
            "another key"
        )

"""How a model can fail that runs in a process of its own."""

from headrace_runtime.errors import InferenceFailed, ModelUnfit, Unavailable, UnfitInput


class InferenceCrashed(InferenceFailed):
    """The model's process died of these values."""

    def __init__(self, signal_name: str) -> None:
        how = f" by {signal_name}" if signal_name else ""
        super().__init__(f"the model's process died{how} on these values")


class InferenceTimedOut(InferenceFailed):
    """The model took longer on these values than one run may take."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"the model took longer than {limit_s:.0f} s on these values")


class ModelKills(UnfitInput):
    """The model's process dies whatever is done: no more of its work is worth beginning."""

    def __init__(self, how: str) -> None:
        super().__init__(f"the model's process {how}: mend the model and register it again")


class ModelTooLarge(ModelUnfit):
    """The model takes more memory than the function has: it would be killed again and again."""

    def __init__(self, *, limit_bytes: int, got_bytes: int) -> None:
        super().__init__(
            f"the model takes {got_bytes:,} bytes of memory as it runs, this function has "
            f"{limit_bytes:,} for models: give it more in the stage, or make the model smaller",
            limit_bytes=limit_bytes,
            got_bytes=got_bytes,
        )


class RunCutShort(Unavailable):
    """The caller's time was over before the model's: nothing is said about the values."""

    def __init__(self, left_s: float) -> None:
        super().__init__(f"the {left_s:.0f} s that were left were too few for the model")

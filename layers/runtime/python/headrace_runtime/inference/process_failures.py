"""How a model can fail that runs in a process of its own."""

from headrace_runtime.errors import InferenceFailed, Unavailable, UnfitInput


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


class RunCutShort(Unavailable):
    """The caller's time was over before the model's: nothing is said about the values."""

    def __init__(self, left_s: float) -> None:
        super().__init__(f"the {left_s:.0f} s that were left were too few for the model")

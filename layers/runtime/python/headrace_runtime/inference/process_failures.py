"""How a model can fail that runs in a process of its own."""

from headrace_runtime.errors import InferenceFailed


class InferenceCrashed(InferenceFailed):
    """The model's process died of these values."""

    def __init__(self, signal_name: str) -> None:
        how = f" by {signal_name}" if signal_name else ""
        super().__init__(f"the model's process died{how} on these values")


class InferenceTimedOut(InferenceFailed):
    """The model took longer on these values than one run may take."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"the model took longer than {limit_s:.0f} s on these values")

"""Why a job ends before all of it is done."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a job ends before all of it is done: it is to be cancelled, or it has failed.

    Attributes:
        code, error: of the failure; empty where it is to be cancelled.
    """

    code: str = ""
    error: str = ""


CANCEL = Stop()

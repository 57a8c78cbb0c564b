"""Which of the two serves a model: Triton, or where it cannot the stand-in."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from infra.local.triton.installation import Installation
from infra.local.triton.load_failure import ModelServerFailed

TRITON, STAND_IN = "triton", "stand-in"
FORCED = "HEADRACE_MODEL_SERVER"


@lru_cache(maxsize=1)
def why_not_triton() -> str:
    """Return why Triton does not run on this machine, or nothing; it is tried once."""
    if not Installation().ready.exists():
        return "it is not there: `make triton` fetches it, where it can be had."
    return Installation().why_not()


def engine_for(config: Mapping[str, Any]) -> str:
    """Return what serves a model of that config.pbtxt.

    HEADRACE_MODEL_SERVER=triton or =stand-in decides; else it is Triton where it runs, unless the
    model has text, which the backend of our Triton cannot take.

    Raises:
        ModelServerFailed: the variable asks for what is not there.
    """
    forced = os.environ.get(FORCED, "")
    if forced not in {"", TRITON, STAND_IN}:
        raise ModelServerFailed(f"{FORCED} is {forced}, neither {TRITON} nor {STAND_IN}")
    if forced == TRITON and why_not_triton():
        raise ModelServerFailed(f"Triton does not run here: {why_not_triton()}")
    text = any(
        entry["data_type"] == "TYPE_STRING" for entry in (*config["input"], *config["output"])
    )
    return forced or (STAND_IN if text or why_not_triton() else TRITON)

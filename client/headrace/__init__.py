"""Headrace's SDK: `from headrace import Client`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.access_records import Key, Policy
    from headrace.client import Client
    from headrace.failures import ApiError, DamagedDownload, Unreachable, WaitedTooLong
    from headrace.job_records import Job, Plan, Shards, Submitted
    from headrace.metrics import Figures, Metrics, Spread
    from headrace.placement_records import Considered, Placement
    from headrace.predicting import Prediction
    from headrace.records import (
        Acceleration,
        Alias,
        Canary,
        Model,
        ModelSummary,
        Refusal,
        TensorInfo,
        Version,
    )
    from headrace_runtime.errors import HeadraceError, InvalidInput, ModelRefused, UnfitInput
    from headrace_runtime.tensor import Datatype

__all__ = [
    "Acceleration",
    "Alias",
    "ApiError",
    "Canary",
    "Client",
    "Considered",
    "DamagedDownload",
    "Datatype",
    "Figures",
    "HeadraceError",
    "InvalidInput",
    "Job",
    "Key",
    "Metrics",
    "Model",
    "ModelRefused",
    "ModelSummary",
    "Placement",
    "Plan",
    "Policy",
    "Prediction",
    "Refusal",
    "Shards",
    "Spread",
    "Submitted",
    "TensorInfo",
    "UnfitInput",
    "Unreachable",
    "Version",
    "WaitedTooLong",
]

_HOMES = {
    "headrace.access_records": ("Key", "Policy"),
    "headrace.client": ("Client",),
    "headrace.failures": ("ApiError", "DamagedDownload", "Unreachable", "WaitedTooLong"),
    "headrace.job_records": ("Job", "Plan", "Shards", "Submitted"),
    "headrace.metrics": ("Figures", "Metrics", "Spread"),
    "headrace.placement_records": ("Considered", "Placement"),
    "headrace.predicting": ("Prediction",),
    "headrace.records": (
        "Acceleration",
        "Alias",
        "Canary",
        "Model",
        "ModelSummary",
        "Refusal",
        "TensorInfo",
        "Version",
    ),
    "headrace_runtime.errors": ("HeadraceError", "InvalidInput", "ModelRefused", "UnfitInput"),
    "headrace_runtime.tensor": ("Datatype",),
}


def __getattr__(name: str) -> object:
    """Import what is asked for only then: the command line's help needs no numpy and no httpx."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

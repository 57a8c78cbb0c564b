"""Why an endpoint with GPUs gave no predictions: branches of the tree of `headrace_runtime.errors`.

* UnfitInput
  + ModelUnfit
    - GpuOnly               no endpoint answers calls of this version, only jobs run it
* Unavailable
  + EndpointNotReady        it is still being made, or loads the model
  + EndpointFailed          it could not be made
  + EndpointBusy            SageMaker takes no more calls just now
  + EndpointTooSlow         the model takes longer than a call may
  + ContainerFailed         the container refused or failed

None is imported before it is raised: most stages have no GPU. Where a status is not their
ancestor's, `edge/status.py` has it by code.
"""

import re

from headrace_runtime.errors import ModelUnfit, Unavailable

BY_JOB = "POST /jobs, or drop a file into the inbox"

# Of a reason in SageMaker's words: an error's name, as `InsufficientInstanceCapacity`.
_NAME = re.compile(r"\b[A-Z][a-z]{2,30}(?:[A-Z][a-z]{2,30}){1,5}\b")


class GpuOnly(ModelUnfit):
    """No endpoint answers calls of this version, only jobs run it."""

    def __init__(self, model: str, version: int) -> None:
        super().__init__(
            f"model {model!r} runs on a GPU in jobs only: {BY_JOB}, as {model}@{version}; or "
            "publish it again with realtime",
            model=model,
            version=version,
        )


class EndpointNotReady(Unavailable):
    """It is still being made, or loads the model: minutes, mostly."""

    def __init__(self, model: str, version: int, *, retry_after_s: int) -> None:
        super().__init__(
            f"version {version} of model {model!r} has no endpoint that answers: it is made within "
            f"minutes of an alias that points there; a job waits for it by itself: {BY_JOB}",
            model=model,
            version=version,
            retry_after_s=retry_after_s,
        )


class EndpointFailed(Unavailable):
    """It could not be made; that is tried again.

    Args:
        model, version: whose endpoint it is.
        reason: SageMaker's; of it, no more than an error's name is told.
    """

    def __init__(self, model: str, version: int, reason: str) -> None:
        name = _NAME.search(reason)
        super().__init__(
            f"the endpoint of version {version} of model {model!r} could not be made"
            f"{f' ({name[0]})' if name else ''}: it is tried again",
            model=model,
            version=version,
            reason=name[0] if name else None,
            retry_after_s=300,
        )


class EndpointBusy(Unavailable):
    """SageMaker takes no more calls just now; nothing has run."""

    def __init__(self) -> None:
        super().__init__("SageMaker takes no more calls just now: send fewer", retry_after_s=2)


class EndpointTooSlow(Unavailable):
    """The model takes longer than a call may."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"the endpoint did not answer within the {limit_s:.0f} s that a call has: send fewer "
            f"records a call, or {BY_JOB}",
            # Longer than clients wait by themselves: the same call would take as long again.
            retry_after_s=30,
        )


class ContainerFailed(Unavailable):
    """The container on the endpoint refused or failed; what it said holds values, and is not told.

    Args:
        status: its own; 0 where it gave none.
    """

    def __init__(self, status: int) -> None:
        how = f"answered {status}" if status else "gave no answer that can be read"
        super().__init__(f"the model's container {how}", container_status=status or None)

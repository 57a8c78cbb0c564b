"""What an endpoint answered: the outputs, or which failure of ours its own one is."""

import re
from collections.abc import Sequence
from typing import NoReturn

from headrace_runtime.aws.endpoint_failures import ContainerFailed, EndpointBusy, EndpointNotReady
from headrace_runtime.aws.light_sagemaker import Reply, said
from headrace_runtime.codec.triton_body import decode_output
from headrace_runtime.errors import InferenceFailed, InvalidInput, Unavailable
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.model.signature import TensorSpec
from headrace_runtime.tensor import Tensor

_LOADING_S = 5  # after which a call is worth another try
_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException", "status 429"})

# All that is taken of what a container says: its text holds the caller's values. An operator that
# fails does so on the values, unless it is the GPU that failed.
_OPERATOR = re.compile(r"while running (\w{1,60}) node")
_OF_THE_GPU = re.compile(r"CUDA|CUDNN|CUBLAS|allocat|out of memory", re.IGNORECASE)


def is_throttled(reply: Reply) -> bool:
    """Whether SageMaker took the call for one too many: nothing has run."""
    return reply.error in _THROTTLED


def outputs_of(reply: Reply, manifest: Manifest, wanted: Sequence[TensorSpec]) -> list[Tensor]:
    """Return the outputs that were asked for, in that order.

    Raises:
        InferenceFailed: the model cannot run on these values.
        ContainerFailed: the container failed, or answered what cannot be read.
        EndpointBusy, EndpointNotReady: SageMaker did not begin.
        Unavailable: SageMaker failed, or refused the call.
    """
    if reply.error:
        _fail(reply, manifest)
    try:
        return list(decode_output(reply.body, reply.content_type, wanted))
    except InvalidInput as error:
        raise ContainerFailed(0) from error


def _fail(reply: Reply, manifest: Manifest) -> NoReturn:
    if reply.error == "ModelError":
        raise _model_error(said(reply.body))
    if is_throttled(reply):
        raise EndpointBusy
    # A validation error says that there is no such endpoint, or that it is not in service: what
    # else SageMaker checks, a name and a length, is right.
    if reply.error in ("ModelNotReadyException", "ValidationError"):
        raise EndpointNotReady(manifest.model, manifest.version, retry_after_s=_LOADING_S)
    raise Unavailable(f"sagemaker did not answer: {reply.error}", reason=reply.error)


def _model_error(facts: dict[str, object]) -> InferenceFailed | ContainerFailed:
    """Return whose failure it was: of the values, as it would be on the CPU, or not."""
    text, status = str(facts.get("OriginalMessage", "")), facts.get("OriginalStatusCode")
    operator = _OPERATOR.search(text)
    if operator and not _OF_THE_GPU.search(text):
        return InferenceFailed(
            f"the model cannot run on these values: operator {operator[1]} failed",
            operator=operator[1],
        )
    return ContainerFailed(status if isinstance(status, int) else 0)

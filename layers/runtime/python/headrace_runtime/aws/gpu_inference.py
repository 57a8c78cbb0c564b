"""Predictions by an endpoint with GPUs: what `predict` calls instead of running the model itself.

Imported at the first call of a version that does not run here, as most stages have none.
"""

import time
from collections.abc import Callable, Sequence

from headrace_runtime.aws.endpoint_answers import is_throttled, outputs_of
from headrace_runtime.aws.endpoint_failures import (
    BY_JOB,
    EndpointFailed,
    EndpointNotReady,
    EndpointTooSlow,
    GpuOnly,
)
from headrace_runtime.aws.light_sagemaker import LightSageMaker, Reply
from headrace_runtime.aws.routing import Routing
from headrace_runtime.codec.triton_body import content_type, encode_body, header_bytes
from headrace_runtime.errors import TooLarge, Unavailable
from headrace_runtime.inference.call_parts import joined, parts
from headrace_runtime.model.endpoint import EndpointState
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Tensor

MAX_BODY_BYTES = 6_291_456  # of InvokeEndpoint (botocore 1.44.5's model of it, 2026-11)

# API Gateway waits for 30 s, a function's start included; so much is kept for that, and for
# sending the answer.
_CALL_S = 29.0
_KEPT_S = 3.0

_PAUSE_S = 0.2  # before a call that SageMaker throttled, and so did not begin, is sent again
_CREATING_S = 60  # after which an endpoint that is being made is worth a look


class GpuInference:
    """Has the endpoints of versions answer that are `realtime`; says what to do with others."""

    def __init__(self, routing: Routing, *, sagemaker: LightSageMaker) -> None:
        self._routing = routing
        self._sagemaker = sagemaker

    def predict(
        self,
        manifest: Manifest,
        tensors: Sequence[Tensor],
        outputs: Sequence[str],
        *,
        left_ms: Callable[[], int],
    ) -> list[Tensor]:
        """Return the outputs that are wanted, all where *outputs* is empty; as on the CPU.

        The inputs are checked before anything is sent. More records than the container takes at
        once are sent one part after the other.

        Args:
            manifest: of a version that may use a GPU, and is `realtime` or only for jobs.
            tensors: as the caller sent them.
            outputs: names of those that are wanted.
            left_ms: tells the milliseconds until Lambda ends the function.

        Raises:
            UnfitInput: the tensors do not fit the signature, the model cannot run on them, or, as
                `GpuOnly`, not at all in a call.
            TooLarge: SageMaker takes no such call.
            Unavailable: there is no answer in time; `endpoint_failures` says of which kinds.
        """
        until = time.monotonic() + min(_CALL_S, left_ms() / 1000) - _KEPT_S
        if not manifest.acceleration.realtime:
            raise GpuOnly(manifest.model, manifest.version)
        manifest.signature.check(tensors)
        manifest.signature.check_outputs(outputs)
        endpoint = self.endpoint(manifest)
        names = list(outputs) or manifest.signature.output_names
        wanted = [
            spec for name in names for spec in manifest.signature.outputs if spec.name == name
        ]
        header = header_bytes(manifest.signature)
        found = []
        for part in parts(tensors, manifest.archive.rows_at_once if manifest.archive else 1):
            body = encode_body(part, names, header)
            reply = self._reply(endpoint, body, content_type(header), until)
            found.append(outputs_of(reply, manifest, wanted))
        return [joined(spec, [some[n] for some in found]) for n, spec in enumerate(wanted)]

    def endpoint(self, manifest: Manifest) -> str:
        """Return the name of the endpoint that answers the calls of a `realtime` version.

        Raises:
            EndpointNotReady, EndpointFailed: none does yet.
            Unavailable: the registry does not answer.
        """
        model, version = manifest.model, manifest.version
        found = self._routing.endpoints(model, version)
        endpoint = None if found is None else found.realtime
        if endpoint is None or endpoint.state is EndpointState.CREATING:
            raise EndpointNotReady(model, version, retry_after_s=_CREATING_S)
        if endpoint.state is EndpointState.FAILED:
            raise EndpointFailed(model, version, endpoint.reason)
        return endpoint.name

    def _reply(self, endpoint: str, body: bytes, content: str, until: float) -> Reply:
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(
                "a call that a GPU answers",
                limit_bytes=MAX_BODY_BYTES,
                got_bytes=len(body),
                advice=f"send fewer records a call, or {BY_JOB}",
            )
        reply = self._invoked(endpoint, body, content, until)
        if is_throttled(reply):
            time.sleep(_PAUSE_S)
            reply = self._invoked(endpoint, body, content, until)
        return reply

    def _invoked(self, endpoint: str, body: bytes, content: str, until: float) -> Reply:
        within_s = until - time.monotonic()
        try:
            if within_s <= 0:
                raise TimeoutError  # noqa: TRY301 - one place says what it means
            return self._sagemaker.invoke_endpoint(
                endpoint, body, content_type=content, within_s=within_s
            )
        except TimeoutError as error:
            raise EndpointTooSlow(_CALL_S - _KEPT_S) from error
        except OSError as error:
            reason = type(error).__name__
            raise Unavailable(f"sagemaker did not answer: {reason}", reason=reason) from error

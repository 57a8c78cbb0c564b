"""SageMaker's runtime: InvokeEndpoint, with its stream, and InvokeEndpointAsync."""

import json
import re
from collections.abc import Callable
from urllib.parse import unquote

from infra.local.http_answer import Answer
from infra.local.sagemaker.async_request import read_async_request
from infra.local.sagemaker.container_call import ContainerAnswer, invocation_headers
from infra.local.sagemaker.endpoint import Endpoint
from infra.local.sagemaker.event_stream import payload_parts
from infra.local.sagemaker.realtime_call import call_at_once
from infra.local.sagemaker.refusals import Refusal, invalid, request_id, too_large
from infra.local.wire import Request

MAX_BODY_BYTES = 6_291_456
_PATH = re.compile(
    r"/endpoints/([^/]+)/(invocations|async-invocations|invocations-response-stream)"
)
_PREFIX = "x-amzn-sagemaker-"


class Runtime:
    """Answers calls.

    Args:
        endpoint: gives an endpoint by its name, None if there is none.
        second_s: how long a second of time-outs lasts.
    """

    def __init__(
        self, endpoint: Callable[[str], Endpoint | None], *, region: str, second_s: float
    ) -> None:
        self._endpoint = endpoint
        self._region, self._second_s = region, second_s

    def answer(self, request: Request) -> Answer:
        """Answer a request, with an error if need be."""
        match = _PATH.fullmatch(request.target.partition("?")[0])
        try:
            if match is None or request.method != "POST":
                return Answer(404, (request_id(),), b"")
            name, operation = unquote(match[1]), match[2]
            endpoint = self._endpoint(name)
            if endpoint is None:
                raise invalid(f"Endpoint {name} of account 123456789012 not found.")
            endpoint.check_in_service()
            if operation == "async-invocations":
                return self._invoke_async(endpoint, request)
            return self._invoke(endpoint, request, streams=operation != "invocations")
        except Refusal as refusal:
            return refusal.answer()

    def _invoke_async(self, endpoint: Endpoint, request: Request) -> Answer:
        outputs = endpoint.hosted.outputs
        if outputs is None:
            raise invalid(
                f"Endpoint {endpoint.hosted.name} has no AsyncInferenceConfig: "
                "it takes InvokeEndpoint only."
            )
        asked = read_async_request(request.header, request.body)
        invocation = endpoint.submit(asked, outputs)
        headers = [("content-type", "application/json"), request_id()]
        headers.append((f"{_PREFIX}outputlocation", str(invocation.output)))
        if invocation.failure is not None:
            headers.append((f"{_PREFIX}failurelocation", str(invocation.failure)))
        body = json.dumps({"InferenceId": asked.inference_id}).encode()
        return Answer(202, tuple(headers), body)

    def _invoke(self, endpoint: Endpoint, request: Request, *, streams: bool) -> Answer:
        if endpoint.hosted.outputs is not None:
            raise invalid(
                f"Endpoint {endpoint.hosted.name} has an AsyncInferenceConfig: "
                "it takes InvokeEndpointAsync only."
            )
        accept = request.header(f"{_PREFIX}accept" if streams else "accept")
        headers = invocation_headers(
            request.header("content-type"), accept, request.header(f"{_PREFIX}custom-attributes")
        )
        answer = call_at_once(
            endpoint, request.body, headers, region=self._region, second_s=self._second_s
        )
        with answer.body:
            body = answer.body.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            return too_large(MAX_BODY_BYTES)
        told = _headers(endpoint, answer)
        if not streams:
            return Answer(200, (("content-type", answer.content_type), *told), body)
        kinds = (
            ("content-type", "application/vnd.amazon.eventstream"),
            (f"{_PREFIX}content-type", answer.content_type),
        )
        return Answer(200, (*kinds, *told), payload_parts(body))


def _headers(endpoint: Endpoint, answer: ContainerAnswer) -> tuple[tuple[str, str], ...]:
    variant = ("x-amzn-invoked-production-variant", endpoint.hosted.variant)
    attributes = answer.custom_attributes
    told = ((f"{_PREFIX}custom-attributes", attributes),) if attributes is not None else ()
    return (variant, *told, request_id())

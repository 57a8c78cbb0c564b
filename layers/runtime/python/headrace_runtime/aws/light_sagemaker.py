"""The one call of SageMaker's runtime that `predict` makes; imported at the first of them."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from headrace_runtime.aws.signature_v4 import UNRESERVED, percent_encoded
from headrace_runtime.aws.signed_http import SignedHttp


class Reply(NamedTuple):
    """An answer of SageMaker.

    Attributes:
        status: 200-299 where the container answered well.
        content_type: of *body*.
        error: the error's name, `ModelError`, or `status 502` where it has none; else empty.
    """

    status: int
    content_type: str
    body: bytes
    error: str


class LightSageMaker:
    """Invokes endpoints as `boto3.client("sagemaker-runtime")` does, each time once."""

    def __init__(self) -> None:
        self._http = SignedHttp("sagemaker", variable="SAGEMAKER_RUNTIME", host="runtime.sagemaker")

    def invoke_endpoint(
        self, endpoint: str, body: bytes, *, content_type: str, within_s: float
    ) -> Reply:
        """Return what the endpoint's container answered, or why it did not.

        Args:
            endpoint: its name.
            body: at most 6,291,456 bytes.
            content_type: of *body*.
            within_s: seconds that all of it may take.

        Raises:
            TimeoutError: they went by; the container may still be at work.
            OSError: SageMaker cannot be reached, or broke off.
        """
        path = f"/endpoints/{percent_encoded(endpoint, UNRESERVED)}/invocations"
        headers = {"content-type": content_type}
        answer, text = self._http.once("POST", path, headers, body, within_s=within_s)
        error = _error(answer.status, answer.headers, text) if answer.status >= 300 else ""
        return Reply(answer.status, answer.headers.get("content-type", ""), text, error)

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        self._http.close()


def said(body: bytes) -> dict[str, Any]:
    """Return what the body of an error holds, nothing where it cannot be read."""
    try:
        plain = json.loads(body)
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}


def _error(status: int, headers: Mapping[str, str], body: bytes) -> str:
    kind = headers.get("x-amzn-errortype") or said(body).get("__type") or f"status {status}"
    return str(kind).partition(":")[0].rpartition("#")[2]  # `ModelError:http://…`, `com.…#ModelE…`

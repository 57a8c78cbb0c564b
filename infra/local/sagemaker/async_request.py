"""A call of InvokeEndpointAsync, checked against the limits of its API.

Limits and patterns: sagemaker-runtime's service model in botocore 1.44.5. SageMaker checks them;
boto3 checks but a few.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.sagemaker.refusals import invalid
from infra.local.sagemaker.s3_location import S3Location

MAX_BODY_BYTES = 128_000
_PREFIX = "x-amzn-sagemaker-"
_TEXTS = {
    "content-type": (1024, r"[\x00-\x7f]*"),
    "accept": (1024, r"[\x00-\x7f]*"),
    "custom-attributes": (1024, r"[\x00-\x7f]*"),
    "inference-id": (64, r"[\x21-\x7e][\x20-\x7e]*"),
    "inputlocation": (1024, r"(https|s3)://([^/]+)/?(.*)"),
    "s3outputpathextension": (512, r"(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+"),
    "filename": (32, r"(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9\-_.]*"),
}
_NUMBERS = {"requestttlseconds": (60, 21_600, 21_600), "invocationtimeoutseconds": (1, 3600, 900)}


@dataclass(frozen=True, slots=True)
class AsyncRequest:
    """What is to be inferred, and where its output goes.

    Attributes:
        source: where the body lies, or the body itself.
        path: of the output, under an endpoint's own.
        ttl_s: for how long it may wait, in SageMaker's seconds.
        timeout_s: for how long the container may take, likewise.
    """

    inference_id: str
    source: S3Location | bytes
    path: tuple[str, ...]
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    ttl_s: int = 21_600
    timeout_s: int = 900

    @property
    def failure_path(self) -> tuple[str, ...]:
        """Of what tells a failure, under an endpoint's own."""
        return (*self.path[:-1], f"{self.path[-1].removesuffix('.out')}-error.out")


def read_async_request(header: Callable[[str], str | None], body: bytes) -> AsyncRequest:
    """Return the request of a call.

    Args:
        header: gives a header's value by its name in lower case.
        body: of the call, empty where the input lies in S3.

    Raises:
        Refusal: a member is out of its limits.
    """
    texts = {name: _text(name, header(_PREFIX + name)) for name in _TEXTS}
    numbers = {name: _number(name, header(_PREFIX + name)) for name in _NUMBERS}
    location = texts["inputlocation"]
    if (location is None) == (not body):
        raise invalid("Exactly one of InputLocation and Body must be given.")
    if len(body) > MAX_BODY_BYTES:
        raise invalid(f"Body must be at most {MAX_BODY_BYTES} bytes.")
    inference_id = texts["inference-id"] or str(uuid.uuid4())
    extension, filename = texts["s3outputpathextension"], texts["filename"]
    return AsyncRequest(
        inference_id,
        _location(location) if location else body,
        (*([extension] if extension else []), filename or f"{inference_id}.out"),
        texts["content-type"],
        texts["accept"],
        texts["custom-attributes"],
        numbers["requestttlseconds"],
        numbers["invocationtimeoutseconds"],
    )


def _location(text: str) -> S3Location:
    try:
        return S3Location.parse(text)
    except ValueError:
        raise invalid("Here InputLocation is taken as s3:// only.") from None


def _text(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    longest, pattern = _TEXTS[name]
    if not 1 <= len(value) <= longest or not re.fullmatch(pattern, value):
        raise invalid(f"{name} must have 1 to {longest} characters and match {pattern}")
    return value


def _number(name: str, value: str | None) -> int:
    least, most, default = _NUMBERS[name]
    if value is None:
        return default
    if not re.fullmatch(r"\d{1,6}", value) or not least <= int(value) <= most:
        raise invalid(f"{name} must be from {least} to {most}.")
    return int(value)

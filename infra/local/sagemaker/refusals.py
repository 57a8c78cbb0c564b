"""Why a call of the runtime is not answered with an inference, as SageMaker says it."""

import json
import uuid
from http import HTTPStatus

from infra.local.http_answer import Answer

_STATUS = {
    "ValidationError": 400,
    "ModelError": 424,
    "ModelNotReadyException": 429,
    "InternalFailure": 500,
    "ServiceUnavailable": 503,
}


class Refusal(Exception):
    """A call is answered with an error.

    Args:
        kind: the error's name in the API's model.
        facts: its members besides Message, by name.
    """

    def __init__(self, kind: str, message: str, **facts: str | int) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.facts = facts

    def answer(self) -> Answer:
        """Return the response that boto3 reads it from."""
        body = json.dumps({"Message": self.message, **self.facts}).encode()
        headers = (("content-type", "application/json"), ("x-amzn-errortype", self.kind))
        return Answer(_STATUS[self.kind], (*headers, request_id()), body)


def invalid(message: str) -> Refusal:
    """Return the refusal of what a caller can mend."""
    return Refusal("ValidationError", message)


def too_large(limit: int) -> Answer:
    """Return the gateway's own answer to a body above a limit in bytes."""
    text = f"HTTP content length exceeded {limit} bytes."
    return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, (request_id(),), text.encode())


def request_id() -> tuple[str, str]:
    """Return the header with which each response is told apart."""
    return "x-amzn-requestid", str(uuid.uuid4())

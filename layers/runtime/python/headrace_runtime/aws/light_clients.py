"""The calls of AWS that `predict` and `authorise` make, with boto3's requests and responses."""

import json  # and not orjson: Lambda's runtime has imported it before
from typing import Any

from headrace_runtime.aws.signature_v4 import UNRESERVED, percent_encoded
from headrace_runtime.aws.signed_http import SignedHttp
from headrace_runtime.errors import ObjectNotFound, Unavailable


class LightDynamoDB:
    """Reads items, and changes one, as `boto3.client("dynamodb")` does."""

    def __init__(self) -> None:
        self._http = SignedHttp("dynamodb")

    def get_item(self, **request: Any) -> dict[str, Any]:
        """Answer as boto3's `get_item`.

        Raises:
            Unavailable: DynamoDB did not answer.
        """
        return self._call("GetItem", request)

    def query(self, **request: Any) -> dict[str, Any]:
        """Answer as boto3's `query`, one page.

        Raises:
            Unavailable: DynamoDB did not answer.
        """
        return self._call("Query", request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Answer as boto3's `update_item`; where the answer is lost, the change is made again.

        Raises:
            Unavailable: DynamoDB did not answer; whether the item has changed is not known.
        """
        return self._call("UpdateItem", request)

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        self._http.close()

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        body = json.dumps(request).encode()
        answer: dict[str, Any] = json.loads(self._http.fetch("POST", "/", headers, body))
        return answer


class LightS3:
    """Reads objects as `boto3.client("s3")` does."""

    def __init__(self) -> None:
        self._http = SignedHttp("s3")

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """Answer as boto3's `get_object`: `ContentLength`, and a `Body` that has `read(size)`.

        Raises:
            ObjectNotFound: there is no such object.
            Unavailable: S3 did not answer.
        """
        path = f"/{percent_encoded(Bucket, UNRESERVED)}/{percent_encoded(Key, UNRESERVED + '/')}"
        try:
            response = self._http.send("GET", path, {})
        except Unavailable as error:
            if error.facts.get("reason") == "NoSuchKey":
                raise ObjectNotFound(Bucket, Key) from None
            raise
        return {"Body": response, "ContentLength": int(response.headers["content-length"])}

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        self._http.close()

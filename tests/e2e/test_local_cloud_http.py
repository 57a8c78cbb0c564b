"""What functions see of HTTP in the local cloud, and what callers get, is as API Gateway has it."""

import base64
import gzip
import http.client
import json
import socket
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Cloud


@pytest.fixture
def respond(probe: Cloud) -> Any:
    """Return the HTTP answer that comes of a function's answer."""

    def send(response: Any) -> httpx.Response:
        return httpx.post(f"{probe.url}/probe", json={"do": "respond", "response": response})

    return send


def _raw(probe: Cloud, request: bytes) -> bytes:
    """Send bytes, and return all that comes back until the front closes."""
    address = probe.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=10) as peer:
        peer.sendall(request)
        answer = b""
        while data := peer.recv(65536):
            answer += data
    return answer


def test_an_event_tells_of_the_call_as_payload_2_0_does(probe: Cloud) -> None:
    answer = httpx.get(
        f"{probe.url}/things/a%20b%C3%A9?x=1&y=%C3%A9&x=2&empty=",
        headers=[
            ("X-Many", "one"),
            ("x-many", "two"),
            ("Cookie", "a=1; b=2"),
            ("User-Agent", "me"),
        ],
    )

    event = answer.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "GET /things/{thing}"
    assert event["rawPath"] == "/things/a bé"
    assert event["rawQueryString"] == "x=1&y=%C3%A9&x=2&empty="
    assert event["queryStringParameters"] == {"x": "1,2", "y": "é", "empty": ""}
    assert event["pathParameters"] == {"thing": "a bé"}
    assert event["headers"]["x-many"] == "one,two"
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert "cookie" not in event["headers"]
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["isBase64Encoded"] is False
    assert "body" not in event
    context = event["requestContext"]
    assert context["accountId"] == "123456789012"
    assert context["stage"] == "$default"
    assert context["routeKey"] == "GET /things/{thing}"
    assert context["http"] == {
        "method": "GET",
        "path": "/things/a bé",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "me",
    }
    assert answer.headers["apigw-requestid"]


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/things/special", "GET /things/special"),
        ("GET", "/things/other", "GET /things/{thing}"),
        ("GET", "/things/", "$default"),
        ("GET", "/things", "$default"),
        ("DELETE", "/things/special", "$default"),
        ("PUT", "/all/a/b", "ANY /all/{rest+}"),
        ("GET", "/all", "$default"),
        ("OPTIONS", "/nothing", "OPTIONS /{proxy+}"),
    ],
)
def test_the_most_specific_route_answers(probe: Cloud, method: str, path: str, route: str) -> None:
    assert httpx.request(method, probe.url + path).json()["routeKey"] == route


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("application/json; charset=utf-8", True),
        ("text/csv", True),
        ("application/xml", True),
        ("application/octet-stream", False),
        ("application/x-www-form-urlencoded", False),
        (None, False),
    ],
)
def test_a_body_is_text_only_by_its_content_type(
    probe: Cloud, content_type: str | None, text: bool
) -> None:
    headers = {"content-type": content_type} if content_type else {}

    event = httpx.post(f"{probe.url}/any", content="é".encode(), headers=headers).json()

    assert event["isBase64Encoded"] is not text
    assert event["body"] == ("é" if text else base64.b64encode("é".encode()).decode())


def test_a_compressed_body_is_never_text(probe: Cloud) -> None:
    body = gzip.compress(b"{}")

    event = httpx.post(
        f"{probe.url}/any",
        content=body,
        headers={"content-type": "application/json", "content-encoding": "gzip"},
    ).json()

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_a_body_in_chunks_arrives_whole(probe: Cloud) -> None:
    event = httpx.post(f"{probe.url}/any", content=iter([b"ab", b"", b"c" * 70_000])).json()

    assert base64.b64decode(event["body"]) == b"ab" + b"c" * 70_000
    assert event["headers"]["content-length"] == "70002"
    assert "transfer-encoding" not in event["headers"]


def test_a_caller_that_waits_to_be_asked_is_asked(probe: Cloud) -> None:
    head = b"POST /any HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\nconnection: close\r\n"

    answer = _raw(probe, head + b"content-length: 2\r\n\r\nhi")

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_head_is_answered_without_a_body(probe: Cloud) -> None:
    answer = _raw(probe, b"HEAD /any HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert int(dict(line.split(b": ") for line in head.split(b"\r\n")[1:])[b"content-length"]) > 100
    assert body == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_http_is_a_400(probe: Cloud, request_bytes: bytes) -> None:
    assert _raw(probe, request_bytes).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_headers_above_10_kb_are_refused(probe: Cloud) -> None:
    assert httpx.get(f"{probe.url}/any", headers={"x": "y" * 11_000}).status_code == 431


def test_one_connection_carries_call_after_call(probe: Cloud) -> None:
    connection = http.client.HTTPConnection(probe.url.removeprefix("http://"), timeout=10)
    for path in ("/one", "/two"):
        connection.request("GET", path)
        assert json.loads(connection.getresponse().read())["rawPath"] == path
    connection.close()


def test_an_answer_carries_status_headers_cookies_and_bytes(respond: Any) -> None:
    answer = respond(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "image/png", "X-Count": 3},
            "cookies": ["a=1; Secure", "b=2"],
            "body": base64.b64encode(b"\x89PNG\x00").decode(),
            "isBase64Encoded": True,
        }
    )

    assert answer.status_code == 201
    assert answer.content == b"\x89PNG\x00"
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-count"] == "3"
    assert answer.headers.get_list("set-cookie") == ["a=1; Secure", "b=2"]


def test_an_answer_without_a_status_is_the_body_itself(respond: Any) -> None:
    answer = respond({"a": [1]})

    assert (answer.status_code, answer.json()) == (200, {"a": [1]})
    assert answer.headers["content-type"] == "application/json"


def test_no_content_has_no_content(respond: Any) -> None:
    answer = respond({"statusCode": 204})

    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    "response",
    [
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "body": "!!!", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"x": ["a"]}},
        {"statusCode": 42},
    ],
)
def test_an_answer_that_makes_no_response_is_a_502(respond: Any, response: Any) -> None:
    answer = respond(response)

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal Server Error"})

"""Calls of webhooks, over servers on this machine that answer as receivers may."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headrace_runtime.aws.webhook_call import WebhookCall
from headrace_runtime.batch.webhook import Webhook
from headrace_runtime.errors import Unavailable

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
BODY = b'{"job_id":"j"}'

Serve = Callable[..., tuple[int, list[bytes]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer every connection with the same bytes; give the port, and the requests that come."""
    listeners = []

    def started(*says: bytes, context: ssl.SSLContext | None = None, pause_s: float = 0.0):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        seen: list[bytes] = []

        def answer(connection: socket.socket) -> None:
            seen.append(connection.recv(65536))
            while not seen[-1].endswith(BODY):
                seen[-1] += connection.recv(65536)
            for part in says:
                connection.sendall(part)
                time.sleep(pause_s)

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with suppress(OSError), connection:
                    if context is None:
                        answer(connection)
                        continue
                    with context.wrap_socket(connection, server_side=True) as encrypted:
                        answer(encrypted)

        threading.Thread(target=run, daemon=True).start()
        return listener.getsockname()[1], seen

    yield started
    for listener in listeners:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def post(port: int, call: WebhookCall | None = None) -> str | None:
    webhook = Webhook(f"http://127.0.0.1:{port}/jobs?a=b", SECRET)
    return (call or WebhookCall(private_addresses=True)).post(webhook, {"webhook-id": "j"}, BODY)


def test_a_call_is_one_whole_request(serve):
    port, seen = serve(b"HTTP/1.1 204 No Content\r\n\r\n")

    assert post(port) is None
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert body == BODY
    assert head.decode().split("\r\n") == [
        "POST /jobs?a=b HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "user-agent: headrace",
        "content-type: application/json",
        "content-length: 14",
        "connection: close",
        "webhook-id: j",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nas long as it lasts",
        b"HTTP/1.1 202\r\n\r\n",
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 201 Created\r\n\r\n"
        ),
    ],
)
def test_whatever_answers_with_2xx_has_taken_it(serve, answer):
    assert post(serve(answer)[0]) is None


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422])
def test_no_other_try_follows_a_last_word_and_no_redirect_is_followed(serve, status):
    target, seen = serve(b"HTTP/1.1 200 OK\r\n\r\n")
    port, _ = serve(
        f"HTTP/1.1 {status} So\r\nLocation: http://127.0.0.1:{target}/\r\n\r\n".encode()
    )

    assert post(port) == f"HTTP_{status}"
    assert seen == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 599])
def test_a_receiver_that_cannot_now_is_tried_again(serve, status):
    port, _ = serve(f"HTTP/1.1 {status} So\r\n\r\n".encode())

    with pytest.raises(Unavailable, match=f"webhook at '127.0.0.1' answered {status}"):
        post(port)


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 20", b"HTTP/2 200\r\n"]
)
def test_what_is_no_answer_is_tried_again(serve, answer):
    with pytest.raises(Unavailable, match="was not reached"):
        post(serve(answer)[0])


def test_nobody_there_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    with pytest.raises(Unavailable, match="ConnectionRefusedError"):
        post(port)


def test_an_answer_that_drips_is_given_up_when_its_time_is_over(serve):
    port, _ = serve(*[b"H"] * 50, pause_s=0.01)
    ticks = count(step=1.0)

    with pytest.raises(Unavailable, match="TimeoutError"):
        post(port, WebhookCall(private_addresses=True, clock=lambda: next(ticks)))


def test_an_endless_head_is_not_read_to_its_end(serve):
    port, seen = serve(b"HTTP/1.1 200 " + b"x" * 200_000)

    with pytest.raises(Unavailable, match="was not reached"):
        post(port)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["93.184.215.14", "10.0.0.1"],
        ["2606:4700::1111", "::ffff:10.0.0.1"],
    ],
)
def test_a_name_with_one_private_address_is_not_called(monkeypatch, addresses):
    found = [(0, 0, 0, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("connected"))

    assert WebhookCall().post(Webhook("https://hooks.example/", SECRET), {}, BODY) == "NOT_PUBLIC"


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "[::ffff:7f00:1]", "0"])
def test_this_machine_is_not_called_by_another_spelling(host):
    assert WebhookCall().post(Webhook(f"https://{host}/", SECRET), {}, BODY) == "NOT_PUBLIC"


def test_plain_http_is_for_a_laptop(serve):
    port, seen = serve(b"HTTP/1.1 200 OK\r\n\r\n")

    assert post(port, WebhookCall()) == "NOT_ENCRYPTED"
    assert seen == []


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS, its certificate for `hooks.example` one that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "hooks.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def resolved_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names stand for this machine the first time, and for another one from then on."""
    asked: list[str] = []
    really = socket.getaddrinfo

    def look_up(host, port, *rest, **more):
        if not _is_name(host):
            return really(host, port, *rest, **more)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "192.0.2.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def test_over_tls_the_connection_goes_to_the_address_that_was_judged(
    serve, certified, resolved_once
):
    port, seen = serve(b"HTTP/1.1 200 OK\r\n\r\n", context=certified)
    webhook = Webhook(f"https://hooks.example:{port}/", SECRET)

    assert WebhookCall(private_addresses=True).post(webhook, {}, BODY) is None
    assert resolved_once == ["hooks.example"]
    assert f"host: hooks.example:{port}".encode() in seen[0]


def test_a_certificate_of_another_name_is_not_believed(serve, certified, resolved_once):
    port, seen = serve(b"HTTP/1.1 200 OK\r\n\r\n", context=certified)
    webhook = Webhook(f"https://other.example:{port}/", SECRET)

    with pytest.raises(Unavailable, match="SSLCertVerificationError"):
        WebhookCall(private_addresses=True).post(webhook, {}, BODY)
    assert seen == []

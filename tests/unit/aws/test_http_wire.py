"""HTTP over a socket, against a server that says to the byte what the test wants."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from headrace_runtime.aws import http_wire
from headrace_runtime.aws.http_answer import BrokenAnswer
from headrace_runtime.aws.http_wire import Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
OF_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = OF_CHUNKS + b"3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nx-sum: 1\r\n\r\n"


class Server:
    """Answers one connection after the other, each with the packets that it was given.

    Every packet but those that continue an answer waits for a request; after the last one of a
    connection the connection ends.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self.port = self._listener.getsockname()[1]
        self.connections: list[Sequence[bytes | Sequence[bytes]]] = []
        self.seen: list[bytes] = []
        self.accepted = 0
        self.held = threading.Event()  # of the test that lets a client wait
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                self.accepted += 1
                with plain, suppress(OSError):
                    self._answer(plain)

    def _answer(self, plain: socket.socket) -> None:
        says = self.connections.pop(0)
        if self._tls is not None:
            plain = self._tls.wrap_socket(plain, server_side=True)
        with plain:
            for answer in says:
                self.seen.append(plain.recv(1 << 20))
                for packet in [answer] if isinstance(answer, bytes) else answer:
                    plain.sendall(packet)
                    time.sleep(0.002)
            if not says:
                self.held.wait(5)

    def close(self) -> None:
        self.held.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server of the connections given, each a list of answers."""
    servers = []

    def start(*connections: Sequence[bytes | Sequence[bytes]], tls=None) -> Server:
        servers.append(Server(tls))
        servers[-1].connections += connections
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def wire(serve) -> Iterator[Callable[..., Wire]]:
    """Connect to a new server of these connections."""
    wires = []

    def to(*connections, timeout_s: float = 5.0) -> Wire:
        server = serve(*connections)
        wires.append(Wire(f"http://127.0.0.1:{server.port}", timeout_s=timeout_s))
        wires[-1].server = server
        return wires[-1]

    yield to
    for made in wires:
        made.close()


def test_a_request_goes_out_in_one_piece_with_its_length(wire):
    one = wire([OK])
    one.call("POST", "/a?b=c", {"x-target": "T"}, b"{}")
    assert one.server.seen == [
        f"POST /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:{one.server.port}\r\n"
        "x-target: T\r\ncontent-length: 2\r\n\r\n{}".encode()
    ]


def test_an_answer_has_status_headers_and_body(wire):
    said = b"HTTP/1.1 404 Not Found\r\nX-A:  1 \r\nx-a: 2\r\nContent-Length: 2\r\n\r\nno"
    answer = wire([said]).call("GET", "/", {})
    assert (answer.status, answer.headers["x-a"], answer.read()) == (404, "1, 2", b"no")
    assert answer.read() == b""


@pytest.mark.parametrize("said", [OK, CHUNKED], ids=["length", "chunked"])
def test_an_answer_may_come_a_byte_at_a_time(wire, said: bytes):
    one = wire([[said[i : i + 1] for i in range(len(said))], OK])
    assert one.call("GET", "/", {}).read() == b"hello"
    assert one.call("GET", "/", {}).read() == b"hello"
    assert one.server.accepted == 1


def test_a_body_is_read_piece_by_piece_into_a_file(wire, tmp_path: Path):
    content = bytes(range(256)) * 8192
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    answer = wire([head + content]).call("GET", "/", {})
    with (tmp_path / "object").open("wb") as out:
        while piece := answer.read(65_536):
            assert len(piece) <= 65_536
            out.write(piece)
    assert (tmp_path / "object").read_bytes() == content


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n"),
    ],
)
def test_some_answers_have_no_body(wire, method: str, said: bytes):
    one = wire([said, OK])
    assert one.call(method, "/", {}).read() == b""
    assert one.call("GET", "/", {}).read() == b"hello"
    assert one.server.accepted == 1


def test_an_interim_answer_is_not_the_answer(wire):
    assert wire([b"HTTP/1.1 100 Continue\r\n\r\n" + OK]).call("GET", "/", {}).read() == b"hello"


@pytest.mark.parametrize(
    "said",
    [
        OK[:-1],
        CHUNKED[:-1],
        OF_CHUNKS + b"5\r\nhel",
        OF_CHUNKS + b"5\r\nhello\r\n",
        OF_CHUNKS + b"2\r\nhello\r\n0\r\n\r\n",
        OF_CHUNKS + b"-2\r\nhe\r\n0\r\n\r\n",
        OF_CHUNKS + b"0x2\r\nhe\r\n0\r\n\r\n",
        OF_CHUNKS + b"1" * 2000 + b"\r\n",
        OF_CHUNKS + b"0\r\n" + b"a: b\r\n" * 101 + b"\r\n",
    ],
)
def test_a_body_that_is_not_whole_is_an_error_and_never_half_a_result(wire, said: bytes):
    answer = wire([said]).call("GET", "/", {})
    with pytest.raises(BrokenAnswer):
        answer.read()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 20x OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + OK,
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n" + b" " * 70_000,
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 65_536 + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 101 + b"Content-Length: 0\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_refused(wire, said: bytes):
    with pytest.raises(BrokenAnswer):
        wire([said]).call("GET", "/", {})


def test_headers_are_bounded_together_too(wire):
    many = b"".join(b"X%d: %s\r\n" % (i, b"a" * 1000) for i in range(90))
    with pytest.raises(BrokenAnswer, match="too long"):
        wire([b"HTTP/1.1 200 OK\r\n" + many + b"\r\n"]).call("GET", "/", {})


@pytest.mark.parametrize(
    "last",
    [
        OK,
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ],
    ids=["ended", "more than was asked", "close", "old"],
)
def test_a_connection_that_is_of_no_more_use_is_replaced_before_the_next_call(wire, last: bytes):
    one = wire([last], [OK])
    assert one.call("GET", "/", {}).read() == b"hello"
    time.sleep(0.05)  # the end is on its way
    assert one.call("GET", "/", {}).read() == b"hello"
    assert one.server.accepted == 2


def test_a_connection_with_an_answer_half_read_is_replaced(wire):
    one = wire([OK], [OK])
    assert one.call("GET", "/", {}).read(2) == b"he"
    assert one.call("GET", "/", {}).read() == b"hello"
    assert one.server.accepted == 2


def test_nobody_waits_longer_than_the_time_out(wire):
    one = wire([], timeout_s=0.05)
    with pytest.raises(TimeoutError):
        one.call("GET", "/", {})


def test_nobody_there_is_an_error():
    with pytest.raises(ConnectionRefusedError):
        Wire("http://127.0.0.1:1", timeout_s=1).call("GET", "/", {})


@pytest.mark.parametrize("path", ["/a b", "/a\r\nx: y", "/é"])
def test_a_path_cannot_break_out_of_its_line(path: str):
    with pytest.raises(ValueError, match="characters"):
        Wire("http://127.0.0.1:1", timeout_s=1).call("GET", path, {})


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0", "é"])
def test_a_header_cannot_break_out_of_its_line(value: str):
    with pytest.raises(ValueError, match="characters"):
        Wire("http://127.0.0.1:1", timeout_s=1).call("GET", "/", {"a": value})


@pytest.mark.parametrize("origin", ["ftp://a", "a", "http://", "http://a:b", "http://[::1]:80"])
def test_what_is_no_address_is_refused(origin: str):
    with pytest.raises(ValueError, match="address"):
        Wire(origin, timeout_s=1)


@pytest.fixture
def certified(tmp_path: Path, monkeypatch) -> Callable[..., ssl.SSLContext]:
    """Make a server's context with a certificate of its own, which clients may be told to trust."""

    def make(*, trusted: bool, name: str = "127.0.0.1") -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = dt.datetime.now(dt.UTC)
        named = x509.IPAddress(ipaddress.ip_address(name))
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key())
            .serial_number(1)
            .not_valid_before(now - dt.timedelta(1))
            .not_valid_after(now + dt.timedelta(1))
            .add_extension(x509.SubjectAlternativeName([named]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = tmp_path / "server.pem"
        form = serialization.Encoding.PEM
        private = key.private_bytes(
            form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pem.write_bytes(private + certificate.public_bytes(form))
        if trusted:
            monkeypatch.setenv("AWS_CA_BUNDLE", str(pem))
        http_wire._context.cache_clear()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    yield make
    http_wire._context.cache_clear()


def test_a_host_that_proves_its_name_is_called_over_tls(serve, certified):
    server = serve([OK, CHUNKED], tls=certified(trusted=True))
    one = Wire(f"https://127.0.0.1:{server.port}", timeout_s=5)
    assert one.call("GET", "/", {}).read() == b"hello"
    assert one.call("GET", "/", {}).read() == b"hello"
    one.close()
    assert server.accepted == 1


@pytest.mark.parametrize(
    ("trusted", "name", "why"),
    [(False, "127.0.0.1", "self-signed"), (True, "127.0.0.2", "IP address mismatch")],
)
def test_a_host_that_does_not_prove_its_name_hears_nothing(
    serve, certified, trusted: bool, name: str, why: str
):
    server = serve([OK], tls=certified(trusted=trusted, name=name))
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        Wire(f"https://127.0.0.1:{server.port}", timeout_s=5).call("GET", "/", {})
    assert server.seen == []


def test_nothing_older_than_tls_1_2_is_spoken(certified):
    certified(trusted=True)
    assert http_wire._context().minimum_version is ssl.TLSVersion.TLSv1_2
    assert http_wire._context().check_hostname


def test_a_wait_may_be_shortened_while_an_answer_is_under_way(wire):
    one = wire([[OK[:-1], b""], OK])
    answer = one.call("GET", "/", {})
    one.wait(0.02)
    assert answer.read(4) == b"hell"

    with pytest.raises(TimeoutError):
        answer.read()


def test_a_wire_tells_what_of_a_call_went_out(wire):
    one = wire([OK, OK])

    one.call("GET", "/", {}).read()
    assert (one.has_sent, one.is_kept) == (True, False)
    one.call("GET", "/", {}).read()
    assert (one.has_sent, one.is_kept) == (True, True)


def test_nothing_went_out_where_nobody_listens():
    nobody = Wire("http://127.0.0.1:9", timeout_s=1.0)

    with pytest.raises(ConnectionRefusedError):
        nobody.call("GET", "/", {})
    assert (nobody.has_sent, nobody.is_kept) == (False, False)

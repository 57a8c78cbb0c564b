"""An issuer of tokens on 127.0.0.1: its configuration, its keys, and tokens that it signs."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "headrace"


@lru_cache
def private_key(name: str) -> Any:
    """Return the key of this name, the same each time; `ec…` is on P-256, `p384…` on P-384."""
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    if name.startswith("p384"):
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_key(name: str, **facts: Any) -> dict[str, Any]:
    """Return the JSON Web Key of this name."""
    made = private_key(name).public_key()
    of_curve = isinstance(made, ec.EllipticCurvePublicKey)
    algorithm = jwt.algorithms.ECAlgorithm if of_curve else jwt.algorithms.RSAAlgorithm
    return {**algorithm.to_jwk(made, as_dict=True), "kid": name, "use": "sig", **facts}


class Issuer:
    """What the issuer publishes, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = [public_key("rsa-1"), public_key("ec-1")]
        self.configuration: dict[str, Any] = {}
        self.asked: list[str] = []
        self.works = True

    def token(self, key: str = "rsa-1", algorithm: str = "RS256", **claims: Any) -> str:
        """Return a token that is good for five minutes, claims replaced; None leaves one out."""
        now = int(time.time())
        said = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "exp": now + 300, "iat": now}
        said = {name: value for name, value in (said | claims).items() if value is not None}
        return jwt.encode(said, private_key(key), algorithm, headers={"kid": key})

    def answer(self, path: str) -> bytes | None:
        """Return what *path* holds."""
        self.asked.append(path)
        pages = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                **self.configuration,
            },
            "/keys": {"keys": self.keys},
        }
        return json.dumps(pages[path]).encode() if self.works and path in pages else None


@contextmanager
def started() -> Iterator[Issuer]:
    """Give an issuer that answers while the context lasts."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = issuer.answer(self.path)
            self.send_response(503 if body is None else 200)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            """A test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

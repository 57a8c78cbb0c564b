"""The public keys with which a token issuer signs, fetched from where its configuration says."""

from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import orjson

from headrace_runtime.errors import Unavailable

FRESH_S = 3600.0  # a key that the issuer takes back is believed no longer than this
STALE_S = 86_400.0  # and than this while the issuer does not answer
PAUSE_S = 30.0  # between two fetches, whatever unknown keys tokens name

_TIMEOUT_S = 3.0
_MAX_BYTES = 1 << 19


class SigningKeys:
    """The issuer's keys by id, fetched when they are first needed and when a new one is named.

    Args:
        issuer: URL, https.
        clock: seconds, never running back.
    """

    def __init__(self, issuer: str, *, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._clock = clock
        self._keys: dict[str, dict[str, Any]] = {}
        self._fetched = self._tried = float("-inf")

    def key(self, key_id: str) -> dict[str, Any] | None:
        """Return the JSON Web Key of this id, or None where the issuer has none.

        Raises:
            Unavailable: the issuer does not answer, and its keys are not known well enough.
        """
        now = self._clock()
        wanted = key_id not in self._keys or now - self._fetched >= FRESH_S
        if wanted and now - self._tried >= PAUSE_S:
            self._tried = now
            try:
                self._keys = _fetched(self._issuer)
                self._fetched = now
            except Unavailable:
                if now - self._fetched >= STALE_S:
                    self._keys = {}
                    raise
        if now - self._fetched >= STALE_S:
            raise Unavailable("the token issuer did not answer")
        return self._keys.get(key_id)


def _fetched(issuer: str) -> dict[str, dict[str, Any]]:
    configuration = _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if configuration.get("issuer") != issuer:
        raise Unavailable("the token issuer's configuration is another issuer's")
    keys = _json(str(configuration.get("jwks_uri"))).get("keys")
    if not isinstance(keys, list):
        raise Unavailable("the token issuer's keys are none")
    known = [key for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str)]
    return {key["kid"]: key for key in known if key.get("use", "sig") == "sig"}


def _json(url: str) -> Mapping[str, Any]:
    """Return the object at *url*; a redirect is not followed, as it could lead anywhere."""
    where = urlsplit(url)
    try:
        connection = _connection(where.scheme, where.hostname or "", where.port)
        try:
            path = where.path + (f"?{where.query}" if where.query else "")
            connection.request("GET", path, headers={"accept": "application/json"})
            response = connection.getresponse()
            body = response.read(_MAX_BYTES)
        finally:
            connection.close()
        plain = orjson.loads(body) if response.status == 200 else None
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable("the token issuer did not answer") from error
    if not isinstance(plain, dict):
        raise Unavailable("the token issuer did not answer with an object")
    return plain


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, port, timeout=_TIMEOUT_S)
    if scheme == "http" and host == "127.0.0.1":  # an issuer on this machine, as tests have
        return HTTPConnection(host, port, timeout=_TIMEOUT_S)
    raise ValueError("an issuer is asked over https alone")

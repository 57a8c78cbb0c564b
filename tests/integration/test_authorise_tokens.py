"""Who calls: tokens of an issuer on this machine, through the handler."""

import base64
import json
import time
from datetime import UTC, datetime

import jwt
import pytest

from headrace_runtime.edge.signing_keys import PAUSE_S, STALE_S, SigningKeys
from headrace_runtime.errors import Unavailable
from tests.integration import token_issuer
from tests.integration.test_authorise import REFUSED


@pytest.fixture
def issuer():
    with token_issuer.started() as started:
        yield started


@pytest.fixture
def ask(function, event, issuer):
    """Ask who calls with this token; give the context."""
    handler = function("authorise", jwt_issuer=issuer.url, jwt_audience=token_issuer.AUDIENCE)

    def asked(token):
        call = event("authorise.call", headers={"authorization": f"Bearer {token}"})
        return handler.caller(call, datetime.now(UTC))["context"]

    return asked


@pytest.mark.parametrize(("key", "algorithm"), [("rsa-1", "RS256"), ("ec-1", "ES256")])
def test_a_good_token_says_who_calls_and_what_they_claim(ask, issuer, key, algorithm):
    context = ask(issuer.token(key, algorithm, groups=["ml", "shop"], scope="infer read"))

    assert context == {
        "principal": "sub:ada",
        "subjects": '["sub:ada","claim:groups=ml","claim:groups=shop",'
        '"claim:scope=infer","claim:scope=read"]',
        "refused": "",
        "retry_after_s": "",
    }


def test_a_token_may_be_for_several_and_a_little_late(ask, issuer):
    late = issuer.token(aud=["other", "headrace"], exp=int(time.time()) - 20)

    assert ask(late)["principal"] == "sub:ada"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://else.example"},
        {"aud": "other"},
        {"exp": 1},
        {"nbf": 99_999_999_999},
        {"sub": 7},
        {"iss": None},
        {"aud": None},
        {"exp": None},
        {"sub": None},
        {"exp": "soon"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_now_is_refused(ask, issuer, claims):
    assert ask(issuer.token(**claims)) == REFUSED


def test_a_token_that_another_signed_is_refused(ask, issuer):
    token = issuer.token("rsa-2")
    forged = jwt.encode(
        jwt.decode(token, options={"verify_signature": False}),
        token_issuer.private_key("rsa-2"),
        "RS256",
        headers={"kid": "rsa-1"},
    )

    assert ask(token) == REFUSED
    assert ask(forged) == REFUSED


def _spelt(header, claims, signature=b""):
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "rsa-1"},
        {"alg": "HS256", "kid": "rsa-1"},
        {"alg": "RS512", "kid": "rsa-1"},
        {"alg": "ES256", "kid": "rsa-1"},
        {"alg": "RS256"},
        {"alg": "RS256", "kid": ["rsa-1"]},
        {"alg": "RS256", "kid": "rsa-1", "crit": ["x"]},
        {},
        [],
    ],
    ids=str,
)
def test_no_token_chooses_how_it_is_checked(ask, issuer, header):
    claims = {"iss": issuer.url, "aud": "headrace", "sub": "ada", "exp": time.time() + 60}

    assert ask(_spelt(header, claims)) == REFUSED


@pytest.mark.parametrize(
    "token",
    [
        "eyJ..",
        "eyJ.a.b",
        "eyJhé.a.b",
        "eyJ" + "A" * 9000 + ".a.b",
        base64.urlsafe_b64encode(b'{"a":' + b"[" * 6000).decode().rstrip("=") + ".a.b",
    ],
    ids=["empty", "short", "accent", "long", "deep"],
)
def test_what_is_no_token_is_refused(ask, token):
    assert ask(token) == REFUSED


@pytest.mark.parametrize(
    "key",
    [
        token_issuer.public_key("p384-1"),
        token_issuer.public_key("rsa-3", alg="RS512"),
        token_issuer.public_key("rsa-3", use="enc"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa-3"},
        {"kty": "RSA", "kid": "rsa-3"},
        {"kty": "RSA", "kid": "rsa-3", "n": 7, "e": []},
    ],
    ids=["curve", "algorithm", "use", "secret", "empty", "odd"],
)
def test_only_keys_of_the_two_algorithms_count(ask, issuer, key):
    issuer.keys = [key]
    name, algorithm = ("p384-1", "ES384") if key["kid"] == "p384-1" else ("rsa-3", "RS256")

    assert ask(issuer.token(name, algorithm)) == REFUSED


def test_keys_are_fetched_once(ask, issuer):
    for _ in range(3):
        ask(issuer.token())

    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


def test_an_api_key_asks_no_issuer(ask, issuer):
    assert ask("hr_" + "a" * 16 + "_" + "a" * 43) == REFUSED
    assert issuer.asked == []


@pytest.fixture
def clock():
    """Seconds that a test moves on."""
    return [1000.0]


@pytest.fixture
def keys(issuer, clock):
    return SigningKeys(issuer.url, clock=lambda: clock[0])


def test_a_new_key_is_found_and_an_old_one_forgotten(keys, issuer, clock):
    assert keys.key("rsa-1")
    issuer.keys = [token_issuer.public_key("rsa-2")]

    clock[0] += PAUSE_S

    assert keys.key("rsa-2")
    assert keys.key("rsa-1") is None


def test_unknown_keys_do_not_make_us_ask_without_end(keys, issuer):
    for n in range(10):
        assert keys.key(f"unknown-{n}") is None

    assert len(issuer.asked) == 2


def test_known_keys_are_believed_for_a_day_while_the_issuer_is_silent(keys, issuer, clock):
    keys.key("rsa-1")
    issuer.works = False

    clock[0] += STALE_S - 1
    assert keys.key("rsa-1")

    clock[0] += PAUSE_S
    with pytest.raises(Unavailable):
        keys.key("rsa-1")


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://else.example"},
        {"jwks_uri": "http://keys.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"jwks_uri": "https://127.0.0.1:x/"},
    ],
    ids=str,
)
def test_an_issuer_is_believed_over_https_and_about_itself_alone(keys, issuer, configuration):
    issuer.configuration = configuration

    with pytest.raises(Unavailable):
        keys.key("rsa-1")

"""Webhooks: which addresses are one, and the signature by which a receiver knows us."""

import base64
import hashlib
import hmac

import pytest

from headrace_runtime.batch.webhook import Webhook, secret_of, signed_headers
from headrace_runtime.errors import UnfitInput

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example/jobs?of=digits", "hooks.example", 443, "/jobs?of=digits"),
        ("https://Hooks.Example", "hooks.example", 443, "/"),
        ("https://hooks.example:8443/", "hooks.example", 8443, "/"),
        ("https://[2606:4700::1111]/a", "2606:4700::1111", 443, "/a"),
        ("http://localhost:8000/a", "localhost", 8000, "/a"),
        ("http://127.0.0.1/a", "127.0.0.1", 80, "/a"),
    ],
)
def test_a_webhook_says_who_is_called_and_what_is_asked(url, host, port, path):
    webhook = Webhook(url, SECRET)

    assert (webhook.host, webhook.port, webhook.path) == (host, port, path)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/", "https://"),
        ("ftp://hooks.example/", "https://"),
        ("hooks.example/jobs", "with a host"),
        ("https:///jobs", "with a host"),
        ("https://ada:secret@hooks.example/", "without a name or password"),
        ("https://hooks.example@127.0.0.1/", "without a name or password"),
        ("https://hooks.example\\@127.0.0.1/", "printable ASCII"),
        ("https://hooks.example/#part", "without a fragment"),
        ("https://hooks.example/a b", "printable ASCII"),
        ("https://hooks.example/\r\nx-evil: 1", "printable ASCII"),
        ("https://hoo\tks.example/", "printable ASCII"),
        ("https://bücher.example/", "printable ASCII"),
        ("https://hooks.example:22/", "of port 443, or of 1024 and above"),
        ("https://hooks.example:99999/", "a URL"),
        ("https://[::1/", "a URL"),
        (f"https://hooks.example/{'a' * 2048}", "2048 at most"),
    ],
)
def test_what_could_not_be_called_or_would_lead_elsewhere_is_no_webhook(url, why):
    with pytest.raises(UnfitInput, match=why) as refused:
        Webhook(url, SECRET)

    assert url not in refused.value.sentence


def test_the_secret_is_not_shown():
    assert SECRET not in repr(Webhook("https://hooks.example/", SECRET))


def test_a_secret_is_24_random_bytes_in_base64():
    assert secret_of(bytes(range(24))) == "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    with pytest.raises(ValueError, match="24 random bytes, not of 5"):
        secret_of(b"short")


def test_a_call_is_signed_as_standard_webhooks_has_it():
    """The specification's own example."""
    headers = signed_headers(
        SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', now_s=1614265330
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_another_body_or_time_has_another_signature():
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    headers = signed_headers(SECRET, "job", b"{}", now_s=7)

    expected = hmac.new(key, b"job.7.{}", hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"

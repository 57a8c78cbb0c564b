"""Signatures, against botocore's."""

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.aws.signature_v4 import Credentials, Unsigned, signed_headers

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
SPACED = st.lists(TEXT, min_size=1, max_size=3).map("  ".join)
KEYS = st.lists(st.text("abcXYZ019-_.~", min_size=1, max_size=9), min_size=1).map("/%20".join)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "x-amz-target", "x-amz-meta-a", "range"]), SPACED
)


@given(
    st.sampled_from(["s3", "dynamodb"]),
    st.sampled_from(["GET", "POST"]),
    KEYS,
    HEADERS,
    st.binary(max_size=40),
    st.none() | TEXT,
)
def test_headers_are_signed_as_botocore_signs_them(
    service: str,
    method: str,
    key: str,
    headers: dict[str, str],
    body: bytes,
    token: str | None,
) -> None:
    path = f"/bucket/{key}" if service == "s3" else "/"
    host = f"{service}.eu-west-1.amazonaws.com"
    theirs = AWSRequest(method, f"https://{host}{path}", dict(headers), body)
    kind = auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth
    kind(BotocoreCredentials("AKID", "se/cret+", token), service, "eu-west-1").add_auth(theirs)

    ours = signed_headers(
        Unsigned(method, host, path, headers, body),
        Credentials("AKID", "se/cret+", token),
        service=service,
        region="eu-west-1",
        now=theirs.context["timestamp"],
    )

    sent = {name.lower(): value for name, value in theirs.headers.items()}
    assert {name: ours[name] for name in sent} == sent  # the authorization among them


def test_credentials_are_read_where_lambda_puts_them() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}

    assert Credentials.from_env(environ) == Credentials("a", "b", "c")

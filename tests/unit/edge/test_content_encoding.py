"""Bodies that are packed."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.edge.content_encoding import packed, unpacked
from headrace_runtime.edge.http_api import Answer
from headrace_runtime.errors import InvalidInput, TooLarge, UnsupportedEncoding


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:])),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("", bytes),
        ("identity", bytes),
    ],
    ids=["gzip", "case", "members", "zlib", "raw", "none", "identity"],
)
def test_a_body_is_unpacked_as_its_header_says(encoding: str, pack: object) -> None:
    assert unpacked(pack(b"hello, hello, hello"), encoding) == b"hello, hello, hello"


def test_an_encoding_that_is_not_spoken_is_named() -> None:
    with pytest.raises(UnsupportedEncoding, match="'br' is not supported"):
        unpacked(b"", "br")


def test_a_bomb_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(bytes(65 << 20))

    with pytest.raises(TooLarge, match="at most 67,108,864 bytes"):
        unpacked(bomb, "gzip")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"", "gzip"),
        (b"plain", "gzip"),
        (b"plain", "deflate"),
        (gzip.compress(b"hello")[:-1], "gzip"),
        (gzip.compress(b"hello") + b"tail", "gzip"),
        (zlib.compress(b"hello")[:-1], "deflate"),
        (zlib.compress(b"hello") + b"tail", "deflate"),
        (gzip.compress(b"hello")[:-6] + b"\0" * 6, "gzip"),
    ],
    ids=["empty", "no-gzip", "no-deflate", "cut", "tail", "cut-zlib", "tail-zlib", "checksum"],
)
def test_a_damaged_body_is_the_callers_mistake(body: bytes, encoding: str) -> None:
    with pytest.raises(InvalidInput):
        unpacked(body, encoding)


@given(st.binary(max_size=50), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_unpacked_or_refused(body: bytes, encoding: str) -> None:
    try:
        unpacked(body, encoding)
    except InvalidInput:
        return


@pytest.mark.parametrize(
    ("accepted", "size", "is_packed"),
    [
        ("gzip, deflate, br", 2 << 20, True),
        ("br;q=1.0, *;q=0.5", 2 << 20, True),
        ("gzip;q=0", 2 << 20, False),
        ("br", 2 << 20, False),
        ("", 2 << 20, False),
        ("gzip", 1 << 20, False),
    ],
)
def test_only_a_large_answer_is_packed_for_who_takes_it(
    accepted: str, size: int, is_packed: bool
) -> None:
    answer = packed(Answer(bytes(size)), accepted)

    assert (answer.headers.get("content-encoding") == "gzip") is is_packed
    assert (gzip.decompress(answer.body) if is_packed else answer.body) == bytes(size)

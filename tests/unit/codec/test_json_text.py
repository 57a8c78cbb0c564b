"""JSON text, hostile or not."""

import json
import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.codec.json_text import number_list, read_json, write_json
from headrace_runtime.errors import InvalidInput

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(-(2**63), 2**64 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(VALUES)
def test_what_python_writes_is_read_as_it_was(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()

    assert repr(read_json(text)) == repr(value)  # repr: NaN is not equal to itself


@given(st.binary(max_size=60) | st.text('[]{}":,NaInfity-0123\\e. ', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with suppress(InvalidInput):
        read_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xef\xbb\xbf[1]",
        b"\xff\xfe[\0",
        b'"\xff"',
        b'["\\ud800", NaN]',
        b"[1e999]",
        b"[1e999, NaN]",
        b"[-NaN]",
        b"[+Infinity]",
        b"[1NaN]",
        b"{NaN: 1}",
        b"[" * 5_000,
        b"[" * 5_000 + b"NaN" + b"]" * 5_000,
        b"[" * 1_020 + b"NaN" + b"]" * 1_020,
        b"[1" + b"0" * 5_000 + b"]",
        b"[NaN, 1" + b"0" * 5_000 + b"]",
        b"[1] [2]",
        b"nan",
    ],
    ids=range(18),
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_json(text)


@pytest.mark.timeout(10)
def test_a_string_that_never_ends_is_refused_at_once() -> None:
    with pytest.raises(InvalidInput):
        read_json(b'"' + b'\\"' * 1_000_000 + b"NaN")


def test_tokens_are_numbers_outside_strings_only() -> None:
    assert read_json(b'["NaN, \\"Infinity\\"", -Infinity, 1]') == [
        'NaN, "Infinity"',
        -math.inf,
        1,
    ]


@pytest.mark.parametrize("token", [b"", b", NaN"])
def test_a_whole_number_beyond_64_bits_is_a_float(token: bytes) -> None:
    largest, beyond = read_json(b"[18446744073709551615, 18446744073709551616" + token + b"]")[:2]

    assert largest == 18446744073709551615
    assert isinstance(beyond, float)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array([0.1, np.nan, -np.inf, np.inf], np.float32), b"[0.1,NaN,-Infinity,Infinity]"),
        (np.array([[1, 2], [3, 4]], np.float16), b"[1.0,2.0,3.0,4.0]"),
        (np.array(7, np.uint64), b"[7]"),
        (np.array([], np.float64), b"[]"),
        (np.array([True, False]), b"[true,false]"),
        (np.array([[1, 2], [3, 4]], np.int8).T, b"[1,3,2,4]"),
    ],
    ids=["non-finite", "half", "scalar", "empty", "bool", "transposed"],
)
def test_numbers_are_written_flat_and_short(array: np.ndarray, text: bytes) -> None:
    assert write_json(number_list(array)) == text

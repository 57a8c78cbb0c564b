import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace_runtime.errors import InvalidName
from headrace_runtime.model import names


@pytest.mark.parametrize("text", ["a", "digits", "half-plus-two", "7b", "a" * 63])
def test_a_plain_name_is_a_models(text):
    assert names.model_name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-a",
        "a-",
        "A",
        "a_b",
        "a.b",
        "..",
        "..%2F..",
        "a b",
        "é",
        "\u202ea",
        "a" * 64,
        "a\n",
        "models",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidName):
        names.model_name(text)


@given(st.text())
def test_a_name_that_passes_can_stand_in_a_key_and_a_route(text):
    try:
        name = names.model_name(text)
    except InvalidName:
        return
    assert name.isascii()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize(("text", "found"), [("1", 1), ("42", 42), ("live", "live"), ("b2", "b2")])
def test_digits_are_a_version_and_letters_an_alias(text, found):
    assert names.version_or_alias(text) == found


@pytest.mark.parametrize(
    "text", ["0", "01", "-1", "1.0", "1e3", "9999999999", "²", "٣", "Live", ""]
)
def test_neither_version_nor_alias_is_refused(text):
    with pytest.raises(InvalidName):
        names.version_or_alias(text)

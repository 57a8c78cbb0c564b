import pytest

from headrace_runtime import errors
from headrace_runtime.aws import endpoint_failures
from headrace_runtime.edge.status import status_of


def _subclasses(kind: type[errors.HeadraceError]) -> list[type[errors.HeadraceError]]:
    """The runtime's own; the SDK grows others on the same tree."""
    below = [found for sub in kind.__subclasses__() for found in _subclasses(sub)]
    return [found for found in (kind, *below) if found.__module__.startswith("headrace_runtime")]


def test_every_error_stands_in_the_drawn_tree():
    drawn = errors.__doc__ or ""

    assert [
        kind.__name__ for kind in _subclasses(errors.HeadraceError) if kind.__name__ not in drawn
    ] == []


def test_codes_are_unique():
    codes = [kind.code for kind in _subclasses(errors.HeadraceError)]

    assert len(codes) == len(set(codes))


def test_a_code_is_the_class_name_in_capitals():
    assert errors.ShapeMismatch.code == "SHAPE_MISMATCH"


def test_facts_stand_beside_the_sentence():
    error = errors.ShapeMismatch("x", [-1, 4], [1, 3])

    assert error.sentence == "input 'x' takes shape [-1, 4] (-1 is any length), got [1, 3]"
    assert error.facts == {"input": "x", "expected": [-1, 4], "got": [1, 3]}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("x"), 400),
        (errors.UnsupportedEncoding("br"), 415),
        (errors.ShapeMismatch("x", [1], [2]), 422),
        (errors.ModelNotFound("m"), 404),
        (errors.Conflict("x"), 409),
        (errors.TooLarge("a body", limit_bytes=1, got_bytes=2, advice="send less"), 413),
        (errors.Unavailable("x"), 503),
        (endpoint_failures.ContainerFailed(500), 424),
        (endpoint_failures.EndpointBusy(), 429),
        (endpoint_failures.EndpointTooSlow(26.0), 503),
        (endpoint_failures.GpuOnly("m", 1), 422),
        (errors.DigestMismatch("k", expected="a", got="b"), 500),
    ],
)
def test_an_error_has_the_status_of_its_nearest_kind(error, status):
    assert status_of(error) == status

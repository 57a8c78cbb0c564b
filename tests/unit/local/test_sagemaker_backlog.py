"""Requests that wait for an instance of the local cloud's SageMaker."""

from datetime import UTC, datetime

import pytest

from infra.local.sagemaker.async_request import AsyncRequest
from infra.local.sagemaker.backlog import Backlog, BacklogFull, Invocation
from infra.local.sagemaker.hosted import AsyncOutputs
from infra.local.sagemaker.s3_location import S3Location

OUTPUTS = AsyncOutputs(S3Location("b", "out/"), S3Location("b", "failed"), None, None)
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def _invocation(name: str, *, expires: float = 10.0, body: bytes = b"x") -> Invocation:
    return Invocation("one", AsyncRequest(name, body, (f"{name}.out",)), OUTPUTS, NOW, expires)


def test_who_came_first_is_served_first():
    backlog = Backlog()
    for name in "abc":
        backlog.add(_invocation(name))

    assert [backlog.take().request.inference_id for _ in range(len(backlog))] == ["a", "b", "c"]


def test_who_waited_too_long_is_taken_out_of_the_middle():
    backlog = Backlog()
    for name, expires in (("a", 9.0), ("b", 5.0), ("c", 7.0)):
        backlog.add(_invocation(name, expires=expires))

    assert backlog.next_expiry() == 5.0
    assert backlog.expired(4.9) == []
    assert [one.request.inference_id for one in backlog.expired(7.0)] == ["b", "c"]
    assert len(backlog) == 1
    assert backlog.next_expiry() == 9.0


def test_bodies_that_wait_have_a_limit_together():
    backlog = Backlog()
    for _ in range(64):
        backlog.add(_invocation("a", body=bytes(1 << 20)))

    with pytest.raises(BacklogFull):
        backlog.add(_invocation("b"))
    backlog.take()
    backlog.add(_invocation("b"))


def test_outcomes_lie_under_the_paths_of_the_endpoint():
    invocation = _invocation("a")

    assert str(invocation.output) == "s3://b/out/a.out"
    assert str(invocation.failure) == "s3://b/failed/a-error.out"


@pytest.mark.parametrize(
    ("root", "parts", "location"),
    [
        ("s3://b", ("a.out",), "s3://b/a.out"),
        ("s3://b/", ("a.out",), "s3://b/a.out"),
        ("s3://b/out", ("/job/1.1/", "a.out"), "s3://b/out/job/1.1/a.out"),
        ("s3://b/out/", ("job/1.1", "a.out"), "s3://b/out/job/1.1/a.out"),
    ],
)
def test_a_path_is_joined_by_one_slash_each(root, parts, location):
    assert str(S3Location.parse(root).under(*parts)) == location


def test_what_is_no_location_is_refused():
    with pytest.raises(ValueError, match="no location"):
        S3Location.parse("https://b/out")

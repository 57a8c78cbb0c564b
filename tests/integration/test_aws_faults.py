"""What S3 does to who reads and writes: slow downs, breaks, lost answers, files that went away."""

import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.response import StreamingBody

from headrace_runtime.aws.inbox import Inbox
from headrace_runtime.aws.part_join import PartJoin, Stored
from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.batch.source import Source
from headrace_runtime.errors import InvalidInput, ObjectNotFound, Unavailable
from headrace_runtime.model.manifest import Manifest
from tests import onnx_models
from tests.integration.file_door import FileDoor, open_door

CSV = b"a,b,c,d\n1,2,3,4\n1,2,x,4\n0,0,0,1\n"
RESULTS = b"a,b,c,d,y_0,y_1,y_2\n1,2,3,4,20.0,11.0,2.0\n0,0,0,1,3.0,3.0,3.0\n"


@pytest.fixture
def door(
    function: Callable[..., ModuleType], publish: Callable[..., Manifest], event: Any, context: Any
) -> FileDoor:
    publish("linear", onnx_models.linear(), onnx_models.linear_signature())
    return open_door(function, event, context)


@pytest.fixture
def s3(aws: None) -> Any:
    return boto3.client("s3")


@pytest.fixture
def dropped(s3: Any) -> Source:
    put = s3.put_object(Bucket="inbox", Key="m/rows.csv", Body=bytes(range(250)) * 40)
    return Source("inbox", "m/rows.csv", put["VersionId"], put["ETag"].strip('"'), 10_000)


class Breaking(io.RawIOBase):
    """A connection that breaks after so many bytes, by an error or by an early end."""

    def __init__(self, body: Any, size: int, *, silent: bool) -> None:
        self._body, self._left, self._silent = body, size, silent

    def read(self, size: int = -1, /) -> bytes:
        data = self._body.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        if not data and not self._silent:
            raise ReadTimeoutError(endpoint_url="s3")
        return data


def refused(code: str, status: int) -> Callable[..., Any]:
    """Refuse a request before it is sent."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return lambda **_: (type("Http", (), {"status_code": status})(), answer)


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.fault("F21")
@pytest.mark.parametrize("silent", [False, True], ids=["error", "early_end"])
def test_a_broken_connection_is_read_on_from_where_it_broke(
    s3: Any, dropped: Source, monkeypatch: pytest.MonkeyPatch, *, silent: bool
) -> None:
    get = s3.get_object
    monkeypatch.setattr(s3, "get_object", lambda **request: _breaking(get(**request), 3000, silent))
    file = Inbox(s3=s3).open(dropped)

    assert b"".join(iter(lambda: file.read(1_000), b"")) == bytes(range(250)) * 40


@pytest.mark.fault("F21")
def test_a_connection_that_always_breaks_is_given_up(
    s3: Any, dropped: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = s3.get_object
    monkeypatch.setattr(
        s3, "get_object", lambda **r: get(**r) | {"Body": StreamingBody(io.BytesIO(), None)}
    )

    with pytest.raises(Unavailable, match="broke off after 0 bytes"):
        Inbox(s3=s3).open(dropped).read(1_000)


@pytest.mark.fault("F21")
@pytest.mark.parametrize("silent", [False, True], ids=["error", "early_end"])
def test_parts_that_are_read_short_are_never_joined_short(
    s3: Any, monkeypatch: pytest.MonkeyPatch, *, silent: bool
) -> None:
    results, get = ResultsBucket("results", s3=s3), s3.get_object
    parts = [Stored(f"_parts/{i}", 10) for i in range(3)]
    for part in parts:
        s3.put_object(Bucket="results", Key=part.key, Body=b"0123456789")
    breaks = iter([True, True, False] * 3)

    def sometimes(**request: Any) -> Any:
        answer = get(**request)
        return _breaking(answer, 4, silent) if next(breaks, False) else answer

    monkeypatch.setattr(s3, "get_object", sometimes)

    PartJoin(results, s3=s3).join("whole", parts)

    assert results.read("whole") == b"0123456789" * 3


@pytest.mark.fault("F21")
def test_a_part_that_is_always_read_short_makes_no_file(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, get = ResultsBucket("results", s3=s3), s3.get_object
    s3.put_object(Bucket="results", Key="_parts/0", Body=b"0123456789")

    with monkeypatch.context() as patch:
        patch.setattr(s3, "get_object", lambda **request: _breaking(get(**request), 4, True))
        with pytest.raises(Unavailable, match="broke off in '_parts/0' again and again"):
            PartJoin(results, s3=s3).join("whole", [Stored("_parts/0", 10)])

    assert results.read("whole") is None


@pytest.mark.fault("F21")
@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_a_slow_down_costs_a_try_and_nothing_else(
    door: FileDoor, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """botocore tries twice more, each at most some seconds later."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    slow = iter([503] * 2)

    def slow_down(request: Any, **_: Any) -> Any:
        if next(slow, None) is None:
            return None
        body = b"<Error><Code>SlowDown</Code></Error>"
        return _response(request, 503, body)

    door.batch.s3.meta.events.register_first(f"before-send.s3.{operation}", slow_down)

    files = door.answer("linear/rows.csv", CSV)

    assert next(slow, None) is None
    assert files["results.csv"] == RESULTS


@pytest.mark.fault("F21")
def test_what_is_written_has_a_checksum_that_s3_checks(door: FileDoor) -> None:
    sent: list[dict[str, bytes]] = []
    door.batch.s3.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append(dict(request.headers))
    )

    door.answer("linear/rows.csv", CSV)

    assert sent
    assert {one["X-Amz-Trailer"] for one in sent} == {b"x-amz-checksum-crc32"}


# --- writing ------------------------------------------------------------------------------------


@pytest.mark.fault("F22")
def test_a_write_whose_answer_was_lost_is_not_written_twice(door: FileDoor) -> None:
    """The second try is told that the object stands: by the first."""
    lost: list[str] = []

    def lose(request: Any, **_: Any) -> None:
        key = request.url.rsplit("/", 1)[-1]
        if key not in lost:
            lost.append(key)
            raise ConnectionClosedError(endpoint_url=request.url)

    door.batch.s3.meta.events.register_last("before-send.s3.PutObject", lose)

    files = door.answer("linear/rows.csv", CSV)

    assert {"results.csv", "errors.jsonl", "manifest.json"} <= set(lost)
    assert files["results.csv"] == RESULTS
    manifest = json.loads(files["manifest.json"])
    assert (manifest["state"], manifest["rows_ok"]) == ("partial", 2)
    versions = boto3.client("s3").list_object_versions(Bucket="results")["Versions"]
    keys = [version["Key"] for version in versions]
    assert len(keys) == len(set(keys))


# --- files that went away -----------------------------------------------------------------------


@pytest.mark.fault("F25")
@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("AccessDenied", 403, "Headrace may not read it, or it is gone"),
        ("InvalidObjectState", 403, "it is archived: restore it and drop it again"),
        ("KMS.DisabledException", 400, "its encryption key is disabled"),
        ("KMS.KMSInvalidStateException", 400, "its encryption key cannot be used"),
    ],
)
@pytest.mark.parametrize("by", ["intake", "batch"])
def test_a_file_that_may_not_be_read_fails_its_job_at_once(
    door: FileDoor, code: str, status: int, why: str, by: str
) -> None:
    client = getattr(door, by).s3
    client.meta.events.register("before-call.s3.GetObject", _of_the_inbox(refused(code, status)))

    files = door.answer("linear/rows.csv", CSV)

    manifest = json.loads(files["manifest.json"])
    assert manifest["state"] == "failed"
    assert manifest["error"] == f"object 'linear/rows.csv' cannot be read: {why}"
    assert json.loads(files["errors.jsonl"])["code"] == "INVALID_INPUT"
    assert "results.csv" not in files


@pytest.mark.fault("F2", "F25")
@pytest.mark.parametrize("when", ["before intake", "before batch"])
def test_a_file_overwritten_where_no_versions_are_kept_gives_its_latest_results_only(
    door: FileDoor, when: str
) -> None:
    """The older event may come first or last: what it tells of is not there any more."""
    boto3.client("s3").put_bucket_versioning(
        Bucket="inbox", VersioningConfiguration={"Status": "Suspended"}
    )
    older = door.drop("linear/rows.csv", b"a,b,c,d\n0,0,0,2\n")
    if when == "before batch":
        door.take_in(older)
    newer = door.drop("linear/rows.csv", b"a,b,c,d\n0,0,0,1\n")
    door.take_in(newer)
    door.take_in(older)

    door.work_all()

    states = {job["source"]["etag"]: (job["state"], job["error"]) for job in door.jobs()}
    assert sorted(states.values(), key=str) == [
        ("failed", "object 'linear/rows.csv' cannot be read: it was replaced while it was read"),
        ("succeeded", None),
    ]
    (results,) = [body for key, body in door.objects().items() if key.endswith("results.csv")]
    assert results.splitlines()[1] == b"0,0,0,1,3.0,3.0,3.0"


@pytest.mark.fault("F25")
def test_a_version_that_is_gone_is_not_found(s3: Any, dropped: Source) -> None:
    s3.delete_object(Bucket="inbox", Key="m/rows.csv", VersionId=dropped.version_id)

    with pytest.raises(ObjectNotFound):
        Inbox(s3=s3).open(dropped)


@pytest.mark.fault("F25")
def test_a_file_that_went_away_while_it_was_read_is_not_found(s3: Any, dropped: Source) -> None:
    file = Inbox(s3=s3).open(dropped)
    file.read(1000)
    s3.delete_object(Bucket="inbox", Key="m/rows.csv", VersionId=dropped.version_id)
    file._body = Breaking(file._body, 500, silent=True)
    file.read(1000)

    with pytest.raises((ObjectNotFound, InvalidInput)):
        file.read(1000)


def _breaking(answer: dict[str, Any], size: int, silent: bool) -> dict[str, Any]:
    return answer | {"Body": Breaking(answer["Body"], size, silent=silent)}


def _response(request: Any, status: int, body: bytes) -> Any:
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415

    raw = io.BytesIO(body)
    raw.stream = lambda **_: iter([body])  # type: ignore[attr-defined]
    return AWSResponse(request.url, status, {"content-type": "application/xml"}, raw)


def _of_the_inbox(refuse: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse what is asked of the inbox alone."""
    return lambda params, **rest: refuse(**rest) if "inbox" in params["url"] else None

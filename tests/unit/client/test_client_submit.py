"""A file becomes one job, however often it is sent; what it will take is said beforehand."""

import pytest

from headrace import ApiError, Considered, InvalidInput, Plan, Unreachable

NOT_THERE = {"error": "there is no object 'k' in bucket 'inbox'", "code": "OBJECT_NOT_FOUND"}


@pytest.fixture
def inbox(service):
    """A service that takes files, and names their job j1."""
    upload = {"url": f"{service.url}/storage", "fields": {"key": "k"}}
    service.answers("POST /jobs", {"upload": upload, "bucket": "inbox", "key": "k"}, status=201)
    service.answers("POST /jobs", {"job_id": "j1", "bucket": "inbox", "key": "k"})
    service.answers("POST /storage", status=204, body=b"")
    return service


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"1,2\n")
    return path


def test_a_file_is_sent_to_the_inbox_and_its_job_is_named(inbox, client, rows):
    job_id = client.submit(rows, "digits", "live")

    assert job_id == "j1"
    assert job_id.webhook_secret is None
    first, sent, second = inbox.calls
    assert first.json == {"model": "digits@live", "file": "rows.csv"}
    assert b"1,2\n" in sent.body
    assert second.json == {"key": "k"}


def test_how_results_look_and_who_is_told_are_asked_for(service, client, rows):
    upload = {"url": f"{service.url}/storage", "fields": {}}
    ticket = {"upload": upload, "key": "k", "webhook_secret": "whsec_QQ=="}
    service.answers("POST /jobs", ticket, status=201)
    service.answers("POST /jobs", {"job_id": "j1"})
    service.answers("POST /storage", status=204, body=b"")

    job_id = client.submit(
        rows, "digits", results="predictions", webhook="https://x.example/h", deadline_s=600
    )

    assert service.calls[0].json == {
        "model": "digits",
        "file": "rows.csv",
        "results": "predictions",
        "webhook": "https://x.example/h",
        "deadline_s": 600,
    }
    assert (job_id, job_id.webhook_secret) == ("j1", "whsec_QQ==")
    assert "whsec" not in repr(job_id)


def test_an_order_whose_answer_was_lost_is_the_same_order_again(service, client):
    service.hangs_up("POST /jobs")
    service.answers("POST /jobs", {"job_id": "j1", "key": "k"}, status=201)

    assert client.submit_object("inbox", "inbox/digits/u/rows.csv", "digits") == "j1"

    first, again = (call.headers["idempotency-key"] for call in service.calls)
    assert first == again
    assert len(first) == 32


def test_two_orders_are_two_jobs_unless_the_caller_says_otherwise(service, client):
    service.answers("POST /jobs", {"job_id": "j1", "key": "k"}, status=201)

    for key in (None, None, "mine", "mine"):
        client.submit_object("b", "k", "digits", idempotency_key=key)

    one, other, *mine = (call.headers["idempotency-key"] for call in service.calls)
    assert one != other
    assert mine == ["mine", "mine"]


def test_an_object_is_named_with_its_version(service, client):
    service.answers("POST /jobs", {"job_id": "j1", "key": "k"}, status=201)

    client.submit_object("b", "k", "digits", 2, version_id="v", results="predictions")

    assert service.calls[0].json == {
        "model": "digits@2",
        "object": {"bucket": "b", "key": "k", "version_id": "v"},
        "results": "predictions",
    }


def test_a_file_that_arrived_under_the_callers_key_is_not_sent_again(inbox, client, rows):
    assert client.submit(rows, "digits", idempotency_key="mine") == "j1"

    assert inbox.asked() == ["POST /jobs", "POST /jobs"]


def test_a_file_that_did_not_arrive_under_the_callers_key_is_sent(service, client, rows):
    upload = {"url": f"{service.url}/storage", "fields": {}}
    service.answers("POST /jobs", {"upload": upload, "key": "k"}, status=201)
    service.answers("POST /jobs", NOT_THERE, status=404)
    service.answers("POST /jobs", {"job_id": "j1"})
    service.answers("POST /storage", status=204, body=b"")

    assert client.submit(rows, "digits", idempotency_key="mine") == "j1"
    assert service.asked()[2] == "POST /storage"


def test_a_key_that_came_with_another_order_is_refused(service, client, rows):
    said = {"error": "this Idempotency-Key came before", "code": "IDEMPOTENCY_MISMATCH"}
    service.answers("POST /jobs", said, status=422)

    with pytest.raises(ApiError) as refused:
        client.submit(rows, "digits", idempotency_key="mine")

    assert refused.value.code == "IDEMPOTENCY_MISMATCH"


def test_an_upload_without_an_answer_is_not_repeated_by_itself(service, client, rows):
    upload = {"url": f"{service.url}/storage", "fields": {}}
    service.answers("POST /jobs", {"upload": upload, "key": "k"}, status=201)
    service.hangs_up("POST /storage")

    with pytest.raises(Unreachable):
        client.submit(rows, "digits")

    assert service.asked() == ["POST /jobs", "POST /storage"]


PLANNED = {
    "model": "digits",
    "version": 3,
    "rows": 2,
    "shards": 1,
    "concurrency": 1,
    "seconds": 3.5,
    "estimated_cost_usd": 0.0001,
    "placement": "lambda",
    "reason": "Lambda answers it in about 4 s for $0.0001; this stage has none",
    "considered": [{"placement": "lambda", "seconds": 3.5, "estimated_cost_usd": 0.0001}],
}


def test_a_plan_is_made_of_what_is_counted_here(service, client, tmp_path):
    service.answers("POST /plans", PLANNED)
    (tmp_path / "rows.csv").write_bytes(b"a,b\n1,2\n3,4\n")

    planned = client.plan(tmp_path / "rows.csv", "digits", "live")

    assert planned == Plan(
        model="digits",
        version=3,
        rows=2,
        shards=1,
        concurrency=1,
        seconds=3.5,
        estimated_cost_usd=0.0001,
        placement="lambda",
        reason="Lambda answers it in about 4 s for $0.0001; this stage has none",
        considered=(Considered("lambda", 3.5, 0.0001),),
    )
    (asked,) = service.calls
    assert asked.json == {
        "model": "digits@live",
        "rows": 2,
        "size_bytes": 12,
        "format": "csv",
    }


def test_a_plan_is_asked_for_with_a_deadline(service, client, tmp_path):
    service.answers("POST /plans", PLANNED)
    (tmp_path / "rows.csv").write_bytes(b"a,b\n1,2\n")

    client.plan(tmp_path / "rows.csv", "digits", deadline_s=600)

    assert service.calls[0].json["deadline_s"] == 600


def test_a_file_without_records_is_not_planned(service, client, tmp_path):
    (tmp_path / "rows.csv").write_bytes(b"a,b\n")

    with pytest.raises(InvalidInput, match=r"rows\.csv has no records"):
        client.plan(tmp_path / "rows.csv", "digits")

    assert service.calls == []

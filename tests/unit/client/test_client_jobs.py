import pytest

from headrace import ApiError, Placement, Shards, WaitedTooLong

JOB = {
    "job_id": "j1",
    "state": "queued",
    "model": "digits",
    "version": 1,
    "digest": "d",
    "input": {"bucket": "inbox", "key": "inbox/digits/u/rows.csv", "version_id": "v"},
    "results": {"bucket": "results", "prefix": "digits/u/rows.csv/j1/"},
    "rows_in": 0,
    "rows_ok": 0,
    "rows_failed": 0,
    "created_at": "2026-11-23T00:00:00+00:00",
    "started_at": None,
    "finished_at": None,
}
ENDED = JOB | {"state": "partial", "rows_in": 3, "rows_ok": 2, "rows_failed": 1}
UNKNOWN = {"error": "there is no job 'j1'", "code": "JOB_NOT_FOUND"}


def signed(service, part, name, body):
    """Let job j1 have this file."""
    service.answers(
        f"GET /jobs/j1/{part}",
        {"url": f"{service.url}/storage/{name}", "file": name, "expires_in_s": 900},
    )
    service.answers(f"GET /storage/{name}", body=body, content_type="binary/octet-stream")


def test_a_job_is_waited_for_from_before_it_is_known_to_its_end(service, client):
    service.answers("GET /jobs/j1", UNKNOWN, status=404)
    service.answers("GET /jobs/j1", JOB)
    service.answers("GET /jobs/j1", JOB | {"state": "running", "rows_in": 3})
    service.answers("GET /jobs/j1", ENDED)
    seen = []

    job = client.wait("j1", on_progress=lambda job: seen.append(job.state))

    assert seen == ["queued", "running", "partial"]
    assert (job.rows_in, job.rows_ok, job.rows_failed) == (3, 2, 1)
    assert job.source == "s3://inbox/inbox/digits/u/rows.csv"
    assert job.results == "s3://results/digits/u/rows.csv/j1/"


def test_a_job_that_never_starts_is_waited_for_so_long_only(service, client):
    service.answers("GET /jobs/j1", UNKNOWN, status=404)

    with pytest.raises(WaitedTooLong, match=r"the start of job j1 did not come within 0\.2 s"):
        client.wait("j1", start_timeout_s=0.2)


def test_a_job_that_never_ends_is_waited_for_so_long_only(service, client):
    service.answers("GET /jobs/j1", JOB)

    with pytest.raises(WaitedTooLong, match="the end of job j1"):
        client.wait("j1", timeout_s=0.2)


def test_another_error_than_not_found_ends_the_waiting(service, client):
    service.answers("GET /jobs/j1", {"error": "no"}, status=403)

    with pytest.raises(ApiError, match="no"):
        client.wait("j1")


def test_a_job_is_told_whole(service, client):
    told = {
        "format": "csv",
        "compression": "gzip",
        "shards": {"total": None, "done": 2},
        "cancel_requested": True,
        "estimated_cost_usd": 0.25,
        "results": JOB["results"] | {"records": "predictions", "sha256": "ab-2"},
        "started_at": "2026-11-23T00:00:01+00:00",
    }
    service.answers("GET /jobs/j1", JOB | told)

    job = client.job("j1")

    assert (job.format, job.compression) == ("csv", "gzip")
    assert job.shards == Shards(total=None, done=2)
    assert (job.cancel_requested, job.estimated_cost_usd) == (True, 0.25)
    assert (job.written, job.sha256) == ("predictions", "ab-2")
    assert job.started_at == "2026-11-23T00:00:01+00:00"


def test_jobs_come_page_by_page_as_they_are_taken(service, client):
    first = "GET /jobs?model=digits&state=partial&limit=200"
    service.answers(first, {"jobs": [ENDED, ENDED | {"job_id": "j2"}], "next": "a/b="})
    service.answers(f"{first}&next=a%2Fb%3D", {"jobs": [ENDED | {"job_id": "j3"}], "next": None})

    jobs = client.jobs("digits", "partial")

    assert service.calls == []
    assert next(jobs).job_id == "j1"
    assert len(service.calls) == 1
    assert [job.job_id for job in jobs] == ["j2", "j3"]


def test_no_more_jobs_are_asked_for_than_are_wanted(service, client):
    service.answers("GET /jobs?limit=1", {"jobs": [ENDED], "next": "more"})

    assert [job.job_id for job in client.jobs(limit=1)] == ["j1"]
    assert len(service.calls) == 1


def test_a_cancelled_job_is_asked_for_again_where_the_answer_was_lost(service, client):
    service.hangs_up("DELETE /jobs/j1")
    service.answers("DELETE /jobs/j1", JOB | {"cancel_requested": True}, status=202)

    job = client.cancel("j1")

    assert (job.state, job.cancel_requested, job.ended) == ("queued", True, False)


def test_a_job_that_has_ended_is_not_cancelled(service, client):
    said = {"error": "job j1 is partial already", "code": "CONFLICT"}
    service.answers("DELETE /jobs/j1", said, status=409)

    with pytest.raises(ApiError, match="partial already") as conflict:
        client.cancel("j1")

    assert (conflict.value.code, len(service.calls)) == ("CONFLICT", 1)


def test_a_job_says_where_it_runs_and_why(service, client):
    placement = {"engine": "sagemaker-async", "reason": "it asks for it", "inputs": {"rows": 7}}
    service.answers("GET /jobs/j1", JOB | {"placement": placement, "deadline_s": 600})

    job = client.job("j1")

    assert job.placement == Placement("sagemaker-async", "it asks for it", {"rows": 7})
    assert job.deadline_s == 600

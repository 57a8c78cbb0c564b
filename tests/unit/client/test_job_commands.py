"""Commands about jobs, as people and scripts run them."""

import json

import pytest
from click.testing import CliRunner

from headrace.command_line import main
from tests.unit.client.test_client_jobs import ENDED, JOB, signed
from tests.unit.client.test_client_submit import PLANNED


@pytest.fixture
def headrace(service, monkeypatch):
    monkeypatch.setenv("HEADRACE_URL", service.url)
    monkeypatch.delenv("HEADRACE_API_KEY", raising=False)

    def run(*words):
        ended = CliRunner().invoke(main, [str(word) for word in words])
        return ended.exit_code, ended.stdout, ended.stderr

    return run


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    return path


def test_jobs_are_a_table(headrace, service):
    odd = {
        "job_id": "j22",
        "state": "failed",
        "model": None,
        "version": None,
        "input": {"bucket": "b", "key": "inbox/x/u/evil\n\u202efile\x1b[31m.csv"},
        "created_at": None,
    }
    big = {"rows_in": 1_234_567, "created_at": "2026-11-26T09:30:00.123456+00:00"}
    service.answers("GET /jobs?limit=50", {"jobs": [ENDED | big, JOB | odd], "next": None})

    status, said, _ = headrace("jobs")

    assert status == 0
    assert said.splitlines() == [
        "job  state    model     created (UTC)        file                      rows  failed",
        "j1   partial  digits 1  2026-11-26T09:30:00  rows.csv             1,234,567       1",
        "j22  failed   -         -                    evil??file?[31m.csv          0       0",
    ]


def test_jobs_are_asked_for_by_model_and_state(headrace, service):
    service.answers("GET /jobs?model=m&state=running&limit=2", {"jobs": [], "next": None})
    asked = ("jobs", "--model", "m", "--state", "running", "--limit", "2")

    assert headrace(*asked) == (0, "there is no such job\n", "")
    assert headrace(*asked, "--json") == (0, "[]\n", "")
    assert headrace("jobs", "--state", "lost")[0] == 2


def test_a_job_is_cancelled(headrace, service):
    service.answers("DELETE /jobs/j1", JOB | {"cancel_requested": True}, status=202)

    assert headrace("cancel", "j1") == (0, "j1 is being cancelled\n", "")


@pytest.mark.parametrize(("state", "status"), [("cancelled", 0), ("succeeded", 1)])
def test_the_end_of_a_cancelled_job_is_waited_for(headrace, service, state, status):
    service.answers("DELETE /jobs/j1", JOB | {"state": "running", "rows_in": 5}, status=202)
    service.answers("GET /jobs/j1", JOB | {"state": state, "rows_in": 7, "rows_ok": 7})

    ended, said, bar = headrace("cancel", "j1", "--wait")

    assert (ended, said) == (status, "j1 is being cancelled\n")
    assert f"{state}: 7 of 7 records answered, 0 failed" in bar


def test_a_job_that_is_over_is_not_cancelled(headrace, service):
    said = {"error": "job j1 is partial already: it was not cancelled", "request_id": "r"}
    service.answers("DELETE /jobs/j1", said, status=409)

    assert headrace("cancel", "j1") == (
        1,
        "",
        "Error: job j1 is partial already: it was not cancelled (request r)\n",
    )


def test_submit_asks_for_predictions_alone_and_shows_the_secret_of_a_webhook(
    headrace, service, rows
):
    upload = {"url": f"{service.url}/storage", "fields": {}}
    ticket = {"upload": upload, "key": "k", "webhook_secret": "whsec_QQ=="}
    service.answers("POST /jobs", ticket, status=201)
    service.answers("POST /jobs", {"job_id": "j1"})
    service.answers("POST /storage", status=204, body=b"")

    webhook = ("--webhook", "https://x.example/h")
    ended = headrace("submit", rows, "--model", "digits", "--predictions", *webhook)

    assert ended == (0, "j1\n", "webhook secret, shown this once: whsec_QQ==\n")
    assert service.calls[0].json["results"] == "predictions"
    assert service.calls[0].json["webhook"] == "https://x.example/h"


def test_a_plan_is_a_small_table(headrace, service, rows):
    planned = {"rows": 1_000_000, "shards": 12, "concurrency": 10, "seconds": 34.4}
    gpu = {"placement": "sagemaker-async", "seconds": 486.0, "estimated_cost_usd": 0.54}
    considered = [*PLANNED["considered"], gpu]
    service.answers("POST /plans", PLANNED | planned | {"considered": considered})

    status, said, _ = headrace("plan", rows, "--model", "digits", "--deadline", "600")

    assert status == 0
    assert said.splitlines() == [
        "model                          digits 3",
        "rows                          1,000,000",
        "shards                               12",
        "at one time                          10",
        "seconds                              34",
        "cost USD                       0.000100",
        "runs on                          lambda",
        "or sagemaker-async  486 s, USD 0.540000",
        "",
        "Lambda answers it in about 4 s for $0.0001; this stage has none",
    ]
    assert service.calls[0].json["rows"] == 2
    assert service.calls[0].json["deadline_s"] == 600


def test_a_plan_is_told_as_json(headrace, service, rows):
    service.answers("POST /plans", PLANNED)

    said = headrace("plan", rows, "--model", "digits", "--version", "live", "--json")[1]

    assert json.loads(said) == PLANNED
    assert service.calls[0].json["model"] == "digits@live"


def test_what_is_no_file_of_records_is_not_planned(headrace, service, tmp_path):
    (tmp_path / "x.csv").write_bytes(b"")

    ended = headrace("plan", tmp_path / "x.csv", "--model", "digits")

    assert ended == (1, "", "Error: the file is empty\n")
    assert service.calls == []


@pytest.fixture
def failed(service):
    """A service with job j1, of which a record failed, and that takes its file as job j2."""
    service.answers("GET /jobs/j1", ENDED)
    signed(service, "errors", "errors.jsonl", b'{"row": 2, "line": 3, "code": "C", "error": "e"}\n')
    signed(service, "input", "rows.csv", b"a,b\n1,2\n3,x\n")
    upload = {"url": f"{service.url}/storage", "fields": {}}
    service.answers("POST /jobs", {"upload": upload, "key": "k"}, status=201)
    service.answers("POST /jobs", {"job_id": "j2"})
    service.answers("POST /storage", status=204, body=b"")
    service.answers("GET /jobs/j2", JOB | {"job_id": "j2", "state": "succeeded", "rows_in": 1})
    return service


def test_the_records_that_failed_are_tried_again(headrace, failed):
    assert headrace("retry", "j1", "--failed-rows") == (0, "j2\n", "")
    (sent,) = (call.body for call in failed.calls if call.path == "/storage")
    assert b"\r\n\r\na,b\n3,x\n\r\n" in sent


def test_what_is_tried_again_may_have_a_deadline(headrace, failed):
    assert headrace("retry", "j1", "--failed-rows", "--deadline", "600") == (0, "j2\n", "")
    ordered = [call.json for call in failed.calls if call.path == "/jobs"]
    assert ordered[0]["deadline_s"] == 600


def test_the_end_of_what_is_tried_again_is_waited_for(headrace, failed):
    status, said, bar = headrace("retry", "j1", "--failed-rows", "--wait")

    assert (status, said) == (0, "j2\n")
    assert "succeeded: 0 of 1 records answered" in bar


def test_what_is_tried_again_is_said(headrace, service):
    status, _, why = headrace("retry", "j1")

    assert status == 2
    assert "Give --failed-rows" in why
    assert service.calls == []


def test_dead_letters_are_shown_and_put_back(headrace, service):
    service.answers("GET /dead-letters", {"queues": [{"name": "parquet-shards", "waiting": 1234}]})
    path = "POST /dead-letters/parquet-shards"
    service.answers(path, {"queue": "parquet-shards", "moved": 5, "left": 1229})

    assert headrace("dead-letters") == (0, "parquet-shards  1,234\n", "")
    assert headrace("redrive", "parquet-shards", "--max", "5") == (
        0,
        "parquet-shards  5 moved\n",
        "",
    )
    assert headrace("redrive", "--max", "5")[1] == "parquet-shards  5 moved\n"

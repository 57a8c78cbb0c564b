"""Jobs over HTTPS: listed, shown, cancelled, and their files fetched without credentials."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws import job_list
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.aws.shards import Shards
from headrace_runtime.batch.counts import Counts
from headrace_runtime.batch.job import Job, JobState
from headrace_runtime.batch.placement import Engine, Placement
from headrace_runtime.batch.source import Source, Target
from headrace_runtime.batch.webhook import Webhook
from headrace_runtime.codec.file_format import Content, FileFormat

JOB_ID = "3f2b8c1d9e7a4f60b5c4d3e2f1a09b8c"
NOW = datetime.now(UTC)
SHOP = "key:shop"


@pytest.fixture
def queues(aws):
    """URLs of the queues of shards, by name."""
    sqs = boto3.client("sqs")
    return {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("shards", "parquet")}


@pytest.fixture
def call(function, event, context, queues):
    """Send a sample event; give status and body."""
    handler = function(
        "submit", shards_queue_url=queues["shards"], parquet_queue_url=queues["parquet"]
    )

    def called(case, **members):
        answer = handler.lambda_handler(event(case, **members), context)
        return answer["statusCode"], json.loads(answer["body"])

    return called


@pytest.fixture
def listed(call):
    """List jobs by a query; give the ids in order, and the token of the next page."""

    def asked(subject="key:root", **query):
        status, page = call("submit.jobs", subject=subject, queryStringParameters=query)
        assert status == 200, page
        return [job["job_id"] for job in page["jobs"]], page["next"]

    return asked


@pytest.fixture
def jobs(aws):
    return Jobs("jobs", dynamodb=boto3.client("dynamodb"))


@pytest.fixture
def make(jobs):
    """Make a job."""

    def made(name=JOB_ID, model="digits", state=JobState.QUEUED, created=NOW, **more):
        source = Source("inbox", f"inbox/{model}/rows.csv", "v1", "e", 4)
        target = Target("results", f"{model}/rows.csv/{name}/")
        more = {"content": Content(FileFormat.CSV), "model": model} | more
        job = Job(name, source, target, created.isoformat(), state=state, **more)
        return jobs.create(job)

    return made


@pytest.fixture
def give(aws):
    """Write the one policy of the caller."""

    def given(*actions, models=("*",)):
        policy = Policy("shop", (SHOP,), frozenset(map(Action, actions)), models)
        PolicyBook("access", dynamodb=boto3.client("dynamodb")).put(policy)

    return given


def waiting(url):
    found = boto3.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def minutes_ago(minutes):
    return NOW - timedelta(minutes=minutes)


def test_jobs_are_listed_newest_first_over_days(make, listed):
    for days in (3, 0, 40, 1):
        make(f"job{days}", created=NOW - timedelta(days=days))
    make("just", created=minutes_ago(0.01))

    assert listed() == (["job0", "just", "job1", "job3", "job40"], None)


def test_pages_follow_each_other_without_a_gap_or_a_doubling(make, listed):
    made = [make(f"job{n:02}", created=minutes_ago(400 * n)).job_id for n in range(9)]

    pages, token = [], None
    while pages == [] or token:
        page, token = listed(limit="4", **({"next": token} if token else {}))
        pages.append(page)

    assert [job for page in pages for job in page] == made
    assert [len(page) for page in pages] == [4, 4, 1]


def test_jobs_made_at_the_same_moment_are_all_on_some_page(make, listed):
    made = {make(f"job{n}").job_id for n in range(7)}

    pages, token = [], None
    while pages == [] or token:
        page, token = listed(limit="2", **({"next": token} if token else {}))
        pages += page

    assert sorted(pages) == sorted(made)


def test_jobs_of_a_model_and_of_a_state_are_listed_alone(make, listed):
    make("a")
    make("b", model="wine")
    make("c", model="wine", state=JobState.FAILED)

    assert listed(model="wine") == (["c", "b"], None)
    assert listed(state="failed") == (["c"], None)
    assert listed(model="wine", state="queued") == (["b"], None)
    assert listed(model="digits", state="failed") == ([], None)


def test_a_list_is_of_jobs_that_one_may_follow(make, listed, give):
    make("a")
    make("b", model="wine")
    make("c", model=None, content=None)
    give("read", models=("wine",))

    assert listed(subject=SHOP) == (["b"], None)
    assert listed(subject=SHOP, model="digits") == ([], None)
    give("infer", "publish", "admin")
    assert listed(subject=SHOP) == ([], None)


def test_a_caller_of_few_among_many_reads_on_by_next(make, listed, give, monkeypatch):
    """A call reads so much and no more; what stands in `next` tells of no job but its time."""
    monkeypatch.setattr(job_list, "_READS", 2)
    monkeypatch.setattr(job_list, "_ITEMS", 3)
    for n in range(20):
        make(f"job{n:02}", model="wine" if n in (4, 17) else "digits", created=minutes_ago(n / 60))
    give("read", models=("wine",))

    pages, token = [], None
    while pages == [] or token:
        page, token = listed(subject=SHOP, **({"next": token} if token else {}))
        pages.append(page)

    assert [job for page in pages for job in page] == ["job04", "job17"]
    assert [] in pages


def test_jobs_are_listed_for_ninety_days(make, listed):
    make("new", created=NOW - timedelta(days=90))
    make("old", created=NOW - timedelta(days=91))

    first, token = listed()
    found = list(first)
    while token:
        page, token = listed(next=token)
        found += page

    assert found == ["new"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"limit": "0"}, "limit must be a whole number of 1 to 200"),
        ({"limit": "201"}, "limit must be a whole number of 1 to 200"),
        ({"limit": "5.0"}, "limit must be a whole number of 1 to 200"),
        ({"limit": "\u0665"}, "limit must be a whole number of 1 to 200"),
        ({"state": "done"}, "state must be one of queued, running, succeeded"),
        ({"state": ""}, "state must be one of queued, running, succeeded"),
        ({"model": "Digits"}, "is not a valid model name"),
        ({"model": ""}, "is not a valid model name"),
        ({"page": "2"}, "the query has no 'page'"),
        ({"next": ""}, "next must be the value of `next`"),
        ({"next": "bm90IGpzb24"}, "next must be the value of `next`"),
        ({"next": "WzEsMiwzXQ"}, "next must be the value of `next`"),
        ({"next": "a" * 5000}, "next must be the value of `next`"),
        ({"next": "\u00fc"}, "next must be the value of `next`"),
    ],
)
def test_a_query_is_read_strictly(call, query, why):
    status, error = call("submit.jobs", queryStringParameters=query)

    assert status in (400, 422)
    assert why in error["error"]


def test_a_token_holds_for_its_own_list_only(make, listed, call):
    for n in range(3):
        make(f"job{n}")
    _, token = listed(limit="1", model="digits")

    status, error = call("submit.jobs", queryStringParameters={"next": token})

    assert status == 422
    assert "next is of a list with another model or state" in error["error"]


def test_a_job_shows_how_far_it_is(make, jobs, call):
    made = make()
    shards = Shards("jobs", dynamodb=boto3.client("dynamodb"))
    jobs.move(made, replace(made, state=JobState.RUNNING))

    status, shown = call("submit.job")

    assert status == 200
    assert shards.progress(made).counts == Counts()
    assert (shown["job_id"], shown["state"], shown["cancel_requested"]) == (
        JOB_ID,
        "running",
        False,
    )
    assert shown["shards"] == {"total": None, "done": 0}
    assert shown["input"]["size_bytes"] == 4


def test_a_job_shows_where_it_runs_and_why(make, call):
    inputs = (("rows", 7), ("rows_are", "exact"))
    make(placement=Placement(Engine.ASYNC, "it asks for a GPU", True, 0.5, inputs), deadline_s=600)

    _, shown = call("submit.job")

    assert shown["placement"] == {
        "engine": "sagemaker-async",
        "reason": "it asks for a GPU",
        "inputs": {"rows": 7, "rows_are": "exact"},
    }
    assert shown["deadline_s"] == 600


def test_the_secret_of_a_webhook_is_shown_to_nobody(make, call):
    make(webhook=Webhook("https://hooks.example.com/?token=t", "whsec_" + "A" * 32))

    for case in ("submit.job", "submit.jobs", "submit.cancel"):
        assert "whsec_" not in json.dumps(call(case, queryStringParameters={}))


def test_a_cancelled_job_is_closed_though_nobody_works_it(make, call, queues):
    make()

    status, shown = call("submit.cancel")

    assert (status, shown["state"], shown["cancel_requested"]) == (202, "queued", True)
    assert waiting(queues["shards"]) == [{"job_id": JOB_ID, "close": True}]
    assert waiting(queues["parquet"]) == []


def test_a_cancelled_job_of_parquet_is_closed_where_parquet_is_read(make, call, queues):
    make(content=Content(FileFormat.PARQUET))

    assert call("submit.cancel")[0] == 202
    assert waiting(queues["parquet"]) == [{"job_id": JOB_ID, "close": True}]


def test_a_job_may_be_cancelled_again(make, call, queues):
    make()

    assert [call("submit.cancel")[0] for _ in range(2)] == [202, 202]
    assert len(waiting(queues["shards"])) == 2


def test_a_job_that_is_cancelled_stays_so(make, call, queues):
    make(state=JobState.CANCELLED)

    status, shown = call("submit.cancel")

    assert (status, shown["state"]) == (200, "cancelled")
    assert waiting(queues["shards"]) == []


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.PARTIAL, JobState.FAILED])
def test_a_job_that_ended_otherwise_is_not_cancelled(make, call, state):
    make(state=state)

    status, error = call("submit.cancel")

    assert (status, error["code"]) == (409, "CONFLICT")
    assert f"job {JOB_ID} is {state} already" in error["error"]


@pytest.mark.parametrize(
    ("actions", "status"), [(["submit"], 202), (["read"], 403), (["infer", "admin"], 404)]
)
def test_who_may_submit_may_cancel(make, call, give, jobs, actions, status):
    make()
    give(*actions)

    assert call("submit.cancel", subject=SHOP)[0] == status
    assert (jobs.get(JOB_ID).stop is None) == (status != 202)


@pytest.mark.parametrize(
    ("part", "file"),
    [("results", "results.csv"), ("errors", "errors.jsonl"), ("manifest", "manifest.json")],
)
def test_a_file_of_an_ended_job_has_an_address_that_needs_no_credentials(make, call, part, file):
    make(state=JobState.PARTIAL)

    status, signed = call("submit.job_results", routeKey=f"GET /jobs/{{job}}/{part}")

    assert (status, signed["file"], signed["expires_in_s"]) == (200, file, 900)
    assert parse_qs(urlsplit(signed["url"]).query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert urlsplit(signed["url"]).path == f"/digits/rows.csv/{JOB_ID}/{file}"


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.SUCCEEDED])
def test_the_dropped_file_itself_is_given_at_any_time(make, call, state):
    make(state=state)

    status, signed = call("submit.job_results", routeKey="GET /jobs/{job}/input")

    assert (status, signed["file"]) == (200, "rows.csv")
    url = urlsplit(signed["url"])
    assert (url.hostname, url.path) == (
        "inbox.s3.eu-west-1.amazonaws.com",
        "/inbox/digits/rows.csv",
    )
    assert parse_qs(url.query)["versionId"] == ["v1"]


def test_the_files_of_a_job_that_runs_are_not_given(make, call):
    make(state=JobState.RUNNING)

    status, error = call("submit.job_results")

    assert status == 409
    assert "is running: its files are there once it has ended" in error["error"]


@pytest.mark.parametrize("case", ["submit.job", "submit.job_results", "submit.cancel"])
def test_a_job_that_nobody_made_is_not_there(call, case):
    status, error = call(case)

    assert (status, error["code"]) == (404, "JOB_NOT_FOUND")


def test_the_sample_query_lists_what_runs(make, call):
    make()

    assert call("submit.jobs")[1] == {"jobs": [], "next": None}

"""Files of jobs, through the control API: sent in, named, and fetched without credentials."""

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.batch.job import Job, JobState, Source, Target
from headrace_runtime.batch.job_key import job_id
from headrace_runtime.codec.file_format import Content, FileFormat
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype

JOB_ID = "3f2b8c1d9e7a4f60b5c4d3e2f1a09b8c"
SIGNATURE = Signature(
    (TensorSpec("X", Datatype.FP32, (-1, 2)),), (TensorSpec("Y", Datatype.FP32, (-1, 2)),)
)


@pytest.fixture
def manage(function, publish, context):
    """The handler, with model `digits` published."""
    handler = function("manage")
    publish("digits", b"graph", SIGNATURE)

    def call(event):
        answer = handler.lambda_handler(event, context)
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.fixture
def ended(aws):
    """A job that has ended."""
    source = Source("inbox", "inbox/digits/rows.csv", "v1", "e", 4)
    target = Target("results", f"digits/rows.csv/{JOB_ID}/")
    job = Job(JOB_ID, source, target, "2026-11-23T09:00:00+00:00", state=JobState.PARTIAL)
    job = replace(job, content=Content(FileFormat.CSV))
    return Jobs("jobs", dynamodb=boto3.client("dynamodb")).create(job)


def test_a_file_is_sent_by_a_form_that_holds_for_its_key_alone(manage, event):
    status, ticket = manage(event("manage.submit"))

    assert status == 201
    model, folder, file = ticket["key"].removeprefix("inbox/").split("/")
    assert (model, file, len(folder)) == ("digits@live", "rows.csv", 32)
    assert ticket["upload"]["fields"]["key"] == ticket["key"]
    assert ticket["upload"]["url"] == "https://inbox.s3.eu-west-1.amazonaws.com/"
    assert (ticket["bucket"], ticket["max_bytes"]) == ("inbox", 5 << 30)


def test_every_upload_has_a_key_of_its_own(manage, event):
    keys = {manage(event("manage.submit"))[1]["key"] for _ in range(3)}

    assert len(keys) == 3


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"model": "unknown", "file": "rows.csv"}, 404, "model 'unknown' is not registered"),
        ({"model": "digits@canary", "file": "rows.csv"}, 404, "no alias 'canary'"),
        ({"model": "digits@7", "file": "rows.csv"}, 404, "no version 7"),
        ({"model": "Digits", "file": "rows.csv"}, 400, "is not a valid model name"),
        ({"model": "digits", "file": "../rows.csv"}, 400, "without a slash"),
        ({"model": "digits", "file": ".."}, 400, "without a slash"),
        ({"model": "digits", "file": "${filename}"}, 400, "without a slash"),
        ({"model": "digits", "file": "a\r\nb.csv"}, 400, "without a slash"),
        ({"model": "digits/../wine", "file": "rows.csv"}, 400, "model must be"),
        ({"model": "digits@1/..", "file": "rows.csv"}, 400, "model must be"),
        ({"model": "digits", "file": ""}, 400, "1-255 bytes"),
        ({"model": "digits"}, 422, "the body must be"),
        ({"model": "digits", "file": 7}, 422, "the body must be"),
        ({"key": "a", "file": "b"}, 422, "the body must be"),
        ([], 422, "the body must be"),
    ],
)
def test_an_upload_that_could_make_no_job_is_not_given(manage, event, body, status, why):
    answered, error = manage(event("manage.submit", body=json.dumps(body)))

    assert answered == status
    assert why in error["error"]


def test_the_job_of_a_file_that_has_arrived_is_the_one_that_its_event_makes(manage, event):
    key = "inbox/digits@live/8a1f/rows.csv"
    put = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=b"1,2\n")

    status, arrived = manage(event("manage.arrived"))

    source = Source("inbox", key, put["VersionId"], put["ETag"].strip('"'), 4)
    assert (status, arrived) == (200, {"job_id": job_id(source), "key": key})


def test_a_file_that_has_not_arrived_has_no_job(manage, event):
    status, error = manage(event("manage.arrived"))

    assert (status, error["code"]) == (404, "OBJECT_NOT_FOUND")


@pytest.mark.parametrize(
    ("part", "file"),
    [("results", "results.csv"), ("errors", "errors.jsonl"), ("manifest", "manifest.json")],
)
def test_a_file_of_an_ended_job_has_an_address_that_needs_no_credentials(
    manage, ended, event, part, file
):
    boto3.client("s3").put_object(Bucket="results", Key=ended.target.prefix + file, Body=b"it")

    status, signed = manage(event("manage.job_results", routeKey=f"GET /jobs/{{job}}/{part}"))

    assert (status, signed["file"], signed["expires_in_s"]) == (200, file, 900)
    assert parse_qs(urlsplit(signed["url"]).query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert urlsplit(signed["url"]).path == f"/digits/rows.csv/{JOB_ID}/{file}"


def test_the_files_of_a_job_that_runs_are_not_given(manage, ended, event):
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    running = Job(JOB_ID, ended.source, ended.target, ended.created_at, state=JobState.RUNNING)
    jobs.move(ended, running)

    status, error = manage(event("manage.job_results"))

    assert status == 409
    assert "is running: its files are there once it has ended" in error["error"]


def test_a_job_that_nobody_made_has_no_files(manage, event):
    status, error = manage(event("manage.job_results"))

    assert (status, error["code"]) == (404, "JOB_NOT_FOUND")

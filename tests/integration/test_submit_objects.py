"""Objects that are here already, submitted without a byte passing through the caller."""

import json

import boto3
import pytest

from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws import object_copies
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.aws.tickets import Ticket, Tickets
from headrace_runtime.batch.job_key import job_id
from headrace_runtime.batch.source import Source
from headrace_runtime.batch.webhook import Webhook
from tests import onnx_models

ORIGINAL = "wine/rows.csv/3f2b8c1d9e7a4f60b5c4d3e2f1a09b8c/results.csv"  # as the sample event has
CALLER = "key:shop"


@pytest.fixture
def s3(aws):
    return boto3.client("s3")


@pytest.fixture
def submit(function, publish, event, context):
    """Send the sample event, members of its body replaced; give status and body."""
    for model in ("digits", "wine"):
        publish(model, onnx_models.linear(), onnx_models.linear_signature())
    handler = function("submit")

    def call(key=None, subject="key:root", **changed):
        sent = event("submit.object", subject=subject)
        sent["body"] = json.dumps(json.loads(sent["body"]) | changed)
        sent["headers"].pop("idempotency-key")
        if key is not None:
            sent["headers"]["idempotency-key"] = key
        answer = handler.lambda_handler(sent, context)
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.fixture
def give(aws):
    """Write the policies of the caller: actions by model."""

    def given(**actions):
        for model, names in actions.items():
            policy = Policy(model, (CALLER,), frozenset(map(Action, names)), (model,))
            PolicyBook("access", dynamodb=boto3.client("dynamodb")).put(policy)

    return given


def test_an_object_becomes_a_job_by_a_copy_in_the_inbox(submit, s3):
    s3.put_object(Bucket="results", Key=ORIGINAL, Body=b"1,2\n", Metadata={"results": "nonsense"})

    status, answer = submit()

    assert status == 201
    model, folder, file = answer["key"].removeprefix("inbox/").split("/")
    assert (model, file, len(folder)) == ("digits", "results.csv", 32)
    copy = s3.get_object(Bucket="inbox", Key=answer["key"])
    assert (copy["Body"].read(), copy["Metadata"]) == (b"1,2\n", {})
    source = Source("inbox", answer["key"], copy["VersionId"], copy["ETag"], 4)
    assert answer["job_id"] == job_id(source)
    webhook = Webhook("https://hooks.example.com/jobs", answer["webhook_secret"])
    ticket = Tickets("jobs", dynamodb=boto3.client("dynamodb")).of(answer["key"])
    assert ticket == Ticket(joined=False, webhook=webhook)


def test_an_earlier_version_can_be_named(submit, s3):
    old = s3.put_object(Bucket="inbox", Key="inbox/wine/a.csv", Body=b"old")
    s3.put_object(Bucket="inbox", Key="inbox/wine/a.csv", Body=b"new")
    where = {"bucket": "inbox", "key": "inbox/wine/a.csv"}

    bodies = [
        s3.get_object(Bucket="inbox", Key=submit(object=where | more)[1]["key"])["Body"].read()
        for more in ({"version_id": old["VersionId"]}, {})
    ]

    assert bodies == [b"old", b"new"]


@pytest.mark.fault("F36")
def test_a_call_that_is_sent_again_with_its_key_makes_no_second_copy(submit, s3):
    """F36."""
    s3.put_object(Bucket="results", Key=ORIGINAL, Body=b"1,2\n")

    first, again = submit(key="night-7"), submit(key="night-7")

    assert first == again
    assert first[0] == 201
    versions = s3.list_object_versions(Bucket="inbox", Prefix=first[1]["key"])["Versions"]
    assert len(versions) == 1


@pytest.mark.parametrize(
    ("wine", "digits", "status", "code"),
    [
        (["read"], ["submit"], 201, None),
        (["submit"], ["submit"], 201, None),
        (["infer", "publish", "admin"], ["submit"], 404, "OBJECT_NOT_FOUND"),
        (["read"], ["infer"], 403, "FORBIDDEN"),
        (["read"], None, 404, "MODEL_NOT_FOUND"),
    ],
)
def test_both_the_object_and_the_model_must_be_the_callers(
    submit, s3, give, wine, digits, status, code
):
    s3.put_object(Bucket="results", Key=ORIGINAL, Body=b"1,2\n")
    give(wine=wine, **({} if digits is None else {"digits": digits}))

    answered, answer = submit(subject=CALLER)

    assert (answered, answer.get("code")) == (status, code)


@pytest.mark.parametrize("there", [True, False])
def test_of_an_object_that_one_may_not_follow_nothing_is_told(submit, s3, give, there):
    if there:
        s3.put_object(Bucket="results", Key=ORIGINAL, Body=b"1,2\n")
    give(digits=["submit"])

    assert submit(subject=CALLER)[1] == {
        "error": f"there is no object '{ORIGINAL}' in bucket 'results'",
        "code": "OBJECT_NOT_FOUND",
        "bucket": "results",
        "key": ORIGINAL,
        "request_id": "JKJaXmPLvHcESHA=",
    }


@pytest.mark.parametrize(
    "where",
    [
        {"bucket": "results", "key": ORIGINAL},
        {"bucket": "results", "key": ORIGINAL, "version_id": "nope"},
        {"bucket": "models", "key": "artifacts/model.onnx"},
        {"bucket": "models", "key": "digits/model.onnx"},
        {"bucket": "not-ours", "key": "digits/rows.csv"},
    ],
)
def test_what_is_not_there_or_not_of_jobs_is_no_object(submit, s3, where):
    for key in ("artifacts/model.onnx", "digits/model.onnx"):
        s3.put_object(Bucket="models", Key=key, Body=b"graph")

    status, error = submit(object=where)

    assert (status, error["code"]) == (404, "OBJECT_NOT_FOUND")


def test_an_object_that_s3_cannot_copy_in_one_call_is_refused(submit, s3, monkeypatch):
    monkeypatch.setattr(object_copies, "MAX_COPY_BYTES", 3)
    s3.put_object(Bucket="results", Key=ORIGINAL, Body=b"1,2\n")

    status, error = submit()

    assert (status, error["code"]) == (413, "TOO_LARGE")
    assert "copy it to inbox/<model>/ by other means" in error["error"]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a b+c%.csv", "a b+c%.csv"),
        ("a\nb.csv", "a_b.csv"),
        ("x" * 300 + ".csv", None),
        ("", "file"),
    ],
)
def test_an_object_of_any_name_has_one_in_the_inbox(submit, s3, name, file):
    s3.put_object(Bucket="inbox", Key=f"inbox/wine/{name}", Body=b"1,2\n")

    status, answer = submit(object={"bucket": "inbox", "key": f"inbox/wine/{name}"})

    assert status == 201
    assert answer["key"].split("/")[3] == (file or "x" * 251 + ".csv")

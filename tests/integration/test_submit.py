"""Files taken in over HTTPS, once however often asked, and the plan of their jobs."""

import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from headrace_runtime.aws.idempotency import Idempotency
from headrace_runtime.aws.tickets import Ticket, Tickets
from headrace_runtime.batch.job_key import job_id
from headrace_runtime.batch.source import Source
from headrace_runtime.batch.webhook import Webhook
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype

SIGNATURE = Signature(
    (TensorSpec("X", Datatype.FP32, (-1, 2)),), (TensorSpec("Y", Datatype.FP32, (-1, 2)),)
)
HOOK = "https://hooks.example.com/jobs"


@pytest.fixture
def handler(function, publish):
    """The handler, with model `digits` published."""
    publish("digits", b"graph", SIGNATURE)
    return function("submit")


@pytest.fixture
def submit(handler, event, context):
    """Send a sample event, the body and a header replaced; give status and body."""

    def call(case="submit.upload", body=None, key=None, **members):
        sent = event(case, **members)
        if body is not None:
            sent["body"] = json.dumps(body)
        if key is not None:
            sent["headers"]["idempotency-key"] = key
        answer = handler.lambda_handler(sent, context)
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.fixture
def tickets(aws):
    return Tickets("jobs", dynamodb=boto3.client("dynamodb"))


def upload(**more):
    return {"model": "digits", "file": "rows.csv", **more}


def test_a_file_is_sent_by_a_form_that_holds_for_its_key_alone(submit):
    status, answer = submit()

    assert status == 201
    model, folder, file = answer["key"].removeprefix("inbox/").split("/")
    assert (model, file, len(folder)) == ("digits@live", "rows.csv", 32)
    assert answer["upload"]["fields"]["key"] == answer["key"]
    assert answer["upload"]["url"] == "https://inbox.s3.eu-west-1.amazonaws.com/"
    assert (answer["bucket"], answer["max_bytes"]) == ("inbox", 5 << 30)


def test_every_upload_has_a_key_of_its_own(submit):
    keys = {submit()[1]["key"] for _ in range(3)}

    assert len(keys) == 3


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (upload(model="unknown"), 404, "model 'unknown' is not registered"),
        (upload(model="digits@canary"), 404, "no alias 'canary'"),
        (upload(model="digits@7"), 404, "no version 7"),
        (upload(model="Digits"), 400, "is not a valid model name"),
        (upload(file="../rows.csv"), 400, "without a slash"),
        (upload(file=".."), 400, "without a slash"),
        (upload(file="${filename}"), 400, "without a slash"),
        (upload(file="a\r\nb.csv"), 400, "without a slash"),
        (upload(model="digits/../wine"), 400, "model must be"),
        (upload(model="digits@1/.."), 400, "model must be"),
        (upload(file=""), 400, "1-255 bytes"),
        ({"model": "digits"}, 422, "the body must be"),
        (upload(file=7), 422, "the body must be"),
        (upload(extra=1), 422, "the body must be"),
        ({"key": "a", "file": "b"}, 422, "the body must be"),
        ({"key": "a", "webhook": HOOK}, 422, "the body must be"),
        ([], 422, "the body must be"),
        (upload(results="all"), 422, "results of the body must be one of joined, predictions"),
        (upload(results=True), 422, "results of the body must be one of joined, predictions"),
        (upload(webhook=None), 422, "webhook of the body must be text"),
        (upload(deadline_s=0), 422, "deadline_s of the body must be a whole number from 1 to"),
        (upload(deadline_s=604_801), 422, "deadline_s of the body must be a whole number"),
        (upload(deadline_s=True), 422, "deadline_s of the body must be a whole number"),
        (upload(deadline_s=None), 422, "deadline_s of the body must be a whole number"),
        ({"key": "a", "deadline_s": 600}, 422, "the body must be"),
        (upload(webhook="http://hooks.example.com/"), 422, "webhook must be https://"),
        (upload(webhook="https://a:b@hooks.example.com/"), 422, "without a name or password"),
        (upload(object={"bucket": "inbox", "key": "k"}), 422, "the body must be"),
        ({"model": "digits", "object": "k"}, 422, "the body must be"),
        ({"model": "digits", "object": {"key": "k"}}, 422, "object of the body must be"),
        (
            {"model": "digits", "object": {"bucket": "b", "key": "k", "etag": "e"}},
            422,
            "object of the body must be",
        ),
        (
            {"model": "digits", "object": {"bucket": "b", "key": "k", "version_id": 7}},
            422,
            "object of the body must be",
        ),
    ],
)
def test_what_could_make_no_job_is_not_taken(submit, body, status, why):
    answered, error = submit(body=body)

    assert answered == status
    assert why in error["error"]


def test_the_job_of_a_file_that_has_arrived_is_the_one_that_its_event_makes(submit):
    key = "inbox/digits@live/8a1f/rows.csv"
    put = boto3.client("s3").put_object(Bucket="inbox", Key=key, Body=b"1,2\n")

    status, arrived = submit("submit.arrived")

    source = Source("inbox", key, put["VersionId"], put["ETag"].strip('"'), 4)
    assert (status, arrived) == (200, {"job_id": job_id(source), "key": key})


def test_a_file_that_has_not_arrived_has_no_job(submit):
    status, error = submit("submit.arrived")

    assert (status, error["code"]) == (404, "OBJECT_NOT_FOUND")


def test_what_was_asked_for_beside_the_file_waits_for_it(submit, tickets):
    _, plain = submit(body=upload())
    _, answer = submit(body=upload(results="predictions", webhook=HOOK, deadline_s=600))

    assert tickets.of(plain["key"]) is None
    webhook = Webhook(HOOK, answer["webhook_secret"])
    assert tickets.of(answer["key"]) == Ticket(False, webhook, deadline_s=600)
    assert "webhook_secret" not in plain


def test_every_webhook_has_a_secret_of_its_own(submit):
    secrets = {submit(body=upload(webhook=HOOK))[1]["webhook_secret"] for _ in range(3)}

    assert len(secrets) == 3
    assert all(len(secret) == len("whsec_") + 32 for secret in secrets)


@pytest.mark.fault("F36")
def test_a_call_that_is_sent_again_with_its_key_has_the_same_answer(submit, tickets):
    """F36."""
    body = upload(webhook=HOOK)
    first, again = (submit(body=body, key="night-7")[1] for _ in range(2))

    for answer in (first, again):
        del answer["upload"]  # the form is signed anew
    assert first == again
    assert tickets.of(first["key"]).webhook.secret == first["webhook_secret"]


def test_members_in_another_order_are_the_same_call(submit):
    first = submit(body=upload(results="joined"), key="night-7")
    again = submit(body={"file": "rows.csv", "model": "digits"}, key="night-7")

    assert first[1]["key"] == again[1]["key"]


@pytest.mark.fault("F36")
@pytest.mark.parametrize(
    "other", [upload(file="other.csv"), upload(webhook=HOOK), upload(results="predictions")]
)
def test_a_key_that_comes_with_another_call_is_refused(submit, other):
    """F36."""
    submit(body=upload(), key="night-7")

    status, error = submit(body=other, key="night-7")

    assert (status, error["code"]) == (422, "IDEMPOTENCY_MISMATCH")


@pytest.mark.fault("F36")
def test_calls_at_the_same_time_with_the_same_key_have_the_same_answer(submit):
    """F36."""
    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(lambda _: submit(body=upload(), key="night-7"), range(16)))

    assert {status for status, _ in answers} == {201}
    assert len({answer["key"] for _, answer in answers}) == 1


def test_anothers_key_is_another_key(submit, event):
    mine = submit(body=upload(), key="night-7")[1]
    others = submit(body=upload(), key="night-7", subject="key:other")

    assert others[0] == 404  # who may do nothing is told nothing of it
    assert submit(body=upload(file="other.csv"), key="night-8")[0] == 201
    assert submit(body=upload(), key="night-7")[1]["key"] == mine["key"]


def test_a_key_holds_for_a_day(handler, submit):
    """F40: what has expired is not believed, whether or not it was removed."""
    now = [1_795_000_000.0]
    remembered = Idempotency("jobs", dynamodb=handler.dynamodb, clock=lambda: now[0])
    object.__setattr__(handler.submissions, "idempotency", remembered)
    first = submit(body=upload(), key="night-7")[1]["key"]

    now[0] += 24 * 3600 - 1
    assert submit(body=upload(), key="night-7")[1]["key"] == first
    now[0] += 1
    assert submit(body=upload(file="other.csv"), key="night-7")[0] == 201


def test_a_call_that_was_refused_uses_no_key_up(submit):
    assert submit(body=upload(model="digits@7"), key="night-7")[0] == 404
    assert submit(body=upload(webhook="ftp://a"), key="night-7")[0] == 422

    assert submit(body=upload(), key="night-7")[0] == 201


@pytest.mark.parametrize("key", ["", "a" * 256, "nächtlich", "a\tb"])
def test_a_key_is_up_to_255_printable_characters(submit, key):
    status, error = submit(body=upload(), key=key)

    assert (status, error["code"]) == (400, "INVALID_INPUT")
    assert "Idempotency-Key must be" in error["error"]


@pytest.mark.parametrize(
    ("rows", "shards", "concurrency", "placement"),
    [(1000, 1, 1, "lambda"), (10_000_000, 23, 10, "lambda-shards")],
)
def test_what_a_job_will_take_is_said_beforehand(submit, rows, shards, concurrency, placement):
    body = {"model": "digits", "rows": rows, "size_bytes": rows * 148}
    status, plan = submit("submit.plan", body=body)

    assert status == 200
    assert plan["estimated_cost_usd"] == pytest.approx(plan["seconds"] * shards * 2.88e-5, rel=1)
    assert plan.keys() - {"seconds", "estimated_cost_usd"} == {
        "model",
        "version",
        "rows",
        "shards",
        "concurrency",
        "placement",
        "reason",
        "considered",
    }
    assert (plan["model"], plan["version"], plan["rows"]) == ("digits", 1, rows)
    assert (plan["shards"], plan["concurrency"]) == (shards, concurrency)
    assert plan["placement"] == placement
    assert plan["reason"].startswith(f"Lambda answers it in about {plan['seconds']:,.0f} s for $0.")
    took = {"seconds": plan["seconds"], "estimated_cost_usd": plan["estimated_cost_usd"]}
    assert plan["considered"] == [{"placement": placement} | took]


@pytest.mark.parametrize(
    ("changed", "status", "why"),
    [
        ({"rows": 0}, 422, "rows of the body must be a whole number"),
        ({"rows": True}, 422, "rows of the body must be a whole number"),
        ({"size_bytes": 1.5}, 422, "size_bytes of the body must be a whole number"),
        ({"deadline_s": 0}, 422, "deadline_s of the body must be a whole number from 1 to 604800"),
        ({"deadline_s": "600"}, 422, "deadline_s of the body must be a whole number"),
        ({"deadline_s": None}, 422, "deadline_s of the body must be a whole number"),
        ({"format": "xlsx"}, 422, "format of the body must be one of csv"),
        ({"format": None}, 422, "format of the body must be one of csv"),
        ({"model": "digits/1"}, 422, "model of the body must be"),
        ({"model": "digits@7"}, 404, "no version 7"),
        ({"model": "wine"}, 404, "model 'wine' is not registered"),
        ({"file": "rows.csv"}, 422, "the body has no member 'file'"),
    ],
)
def test_a_plan_is_asked_for_strictly(submit, changed, status, why):
    body = {"model": "digits", "rows": 10, "size_bytes": 1480} | changed

    answered, error = submit("submit.plan", body=body)

    assert answered == status
    assert why in error["error"]

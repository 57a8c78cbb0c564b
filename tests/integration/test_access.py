"""What a caller is told of what they may not see: nothing, whatever else is wrong."""

import json

import boto3
import pytest

from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws.jobs import Jobs
from headrace_runtime.aws.policies import item_of
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.batch.job import Job
from headrace_runtime.batch.source import Source, Target
from tests import onnx_models

CALLER = "key:shop"
JOB_ID = "3f2b8c1d9e7a4f60b5c4d3e2f1a09b8c"


@pytest.fixture
def give(aws):
    """Write the one policy of the caller."""
    book = PolicyBook("access", dynamodb=boto3.client("dynamodb"))

    def given(*actions, models=("*",)):
        book.put(Policy("shop", (CALLER,), frozenset(map(Action, actions)), models))

    return given


@pytest.fixture
def call(function, event, context):
    """Send a sample event of the caller, members replaced; give the whole answer."""
    handlers = {name: function(name) for name in ("predict", "manage", "submit")}

    def called(case, **members):
        handler = handlers[case.partition(".")[0]]
        return handler.lambda_handler(event(case, **{"subject": CALLER} | members), context)

    return called


@pytest.fixture
def models(publish):
    for model in ("wine", "digits"):
        publish(model, onnx_models.linear(), onnx_models.linear_signature())


MODEL_CALLS = [
    "predict.infer_json",
    "predict.infer_alias",
    "predict.infer_wrong_shape",
    "predict.infer_not_json",
    "predict.metadata",
    "predict.ready",
    "manage.model",
    "manage.alias",
    "manage.upload",
]


@pytest.mark.parametrize("case", MODEL_CALLS)
def test_a_model_that_one_may_not_see_answers_as_one_that_is_not_there(
    case, call, give, event, publish
):
    give(*Action, models=("missing",))
    model = event(case)["pathParameters"]["model"]
    before = call(case)
    publish(model, onnx_models.linear(), onnx_models.linear_signature())

    assert call(case) == before
    assert before["statusCode"] == 404
    assert json.loads(before["body"])["error"] == f"model '{model}' is not registered"


@pytest.mark.parametrize("case", [case for case in MODEL_CALLS if case != "manage.upload"])
def test_it_answers_to_the_letter_as_to_those_who_may_see_all(case, call, give):
    give("infer", models=("other",))

    unseen, missing = call(case), call(case, subject="key:root")

    assert unseen == missing
    assert unseen["statusCode"] == 404


@pytest.mark.parametrize("body", ["{", "[]", '{"version": 0}', '{"version": 99}'])
def test_a_wrong_body_does_not_tell_that_an_alias_could_be_moved(call, give, models, body):
    give(*Action, models=("wine",))

    answer = call("manage.move_alias", body=body)

    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == "MODEL_NOT_FOUND"


@pytest.mark.parametrize("version", ["1", "99", "live", "nope"])
def test_no_version_tells_that_a_model_is_there(call, give, models, version):
    give(*Action, models=("digits",))

    answer = call("predict.metadata_version", pathParameters={"model": "wine", "version": version})

    assert json.loads(answer["body"])["error"] == "model 'wine' is not registered"


@pytest.fixture
def job(models):
    """A job of `wine` that has not ended."""
    source = Source("inbox", "inbox/wine/rows.csv", "v1", "e", 4)
    target = Target("results", f"wine/rows.csv/{JOB_ID}/")
    made = Job(JOB_ID, source, target, "2026-11-23T09:00:00+00:00", model="wine")
    return Jobs("jobs", dynamodb=boto3.client("dynamodb")).create(made)


@pytest.mark.parametrize("case", ["submit.job", "submit.job_results"])
def test_a_job_of_a_model_that_one_may_not_follow_is_none(call, give, event, case, aws):
    give("infer", "publish", models=("*",))
    missing = call(case, subject="key:root", pathParameters={"job": JOB_ID})
    source = Source("inbox", "inbox/wine/rows.csv", "v1", "e", 4)
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    jobs.create(Job(JOB_ID, source, Target("results", "p/"), "2026-11-23", model="wine"))

    assert call(case, pathParameters={"job": JOB_ID}) == missing
    assert missing["statusCode"] == 404


@pytest.mark.parametrize("action", ["read", "submit"])
def test_a_job_is_shown_to_who_may_read_or_submit(call, give, job, action):
    give(action, models=("wine",))

    assert call("submit.job", pathParameters={"job": JOB_ID})["statusCode"] == 200


def test_a_job_that_failed_for_want_of_a_model_is_shown_by_its_folder(call, give, aws):
    source = Source("inbox", "inbox/wine@nope/rows.csv", "v1", "e", 4)
    jobs = Jobs("jobs", dynamodb=boto3.client("dynamodb"))
    jobs.create(Job(JOB_ID, source, Target("results", "p/"), "2026-11-23"))
    give("submit", models=("wine",))

    assert call("submit.job", pathParameters={"job": JOB_ID})["statusCode"] == 200
    give("submit", models=("digits",))
    assert call("submit.job", pathParameters={"job": JOB_ID})["statusCode"] == 404


def test_what_a_policy_gives_no_more_is_refused_once_its_time_is_over(call, give, models):
    give("infer")
    assert call("predict.infer_json")["statusCode"] == 200

    give("read")

    assert call("predict.infer_json")["statusCode"] == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"subjects": {"L": [{"S": "everybody"}]}},
        {"actions": {"L": [{"S": "fly"}]}},
        {"models": None},
    ],
)
def test_an_item_that_is_no_policy_gives_no_rights_and_takes_nobody_theirs(
    call, give, models, changed
):
    give("infer", models=("digits",))
    good = item_of(Policy("bad", (CALLER,), frozenset(Action), ("wine",)))
    bad = {name: value for name, value in (good | changed).items() if value is not None}
    boto3.client("dynamodb").put_item(TableName="access", Item=bad)

    listed = json.loads(call("manage.models")["body"])["models"]

    assert [model["name"] for model in listed] == ["digits"]


def test_policies_are_read_once_within_their_time(function, event, context, give, models):
    give("infer")
    handler = function("predict", policies_ttl_s=60.0)
    sent = event("predict.infer_json", subject=CALLER)
    assert handler.lambda_handler(sent, context)["statusCode"] == 200

    give("read")

    assert handler.lambda_handler(sent, context)["statusCode"] == 200


def test_while_policies_cannot_be_read_nobody_may_do_anything(function, event, context, models):
    handler = function("predict", access_table="missing")

    answer = handler.lambda_handler(event("predict.infer_json"), context)

    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")

"""Who may do what: the whole list, and what follows from it."""

import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import boto3
import pytest

from headrace_runtime.access.api_key import SecretHash
from headrace_runtime.access.key_facts import KeyFacts
from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.access.rate_windows import windows
from headrace_runtime.aws.call_counts import CallCounts
from headrace_runtime.aws.keys import KeyBook
from headrace_runtime.aws.policy_book import PolicyBook
from tests.infrastructure.cloud import Cloud

LOG = {("logs:CreateLogStream", "own log"), ("logs:PutLogEvents", "own log")}
OWN_QUEUE = {
    ("sqs:ChangeMessageVisibility", "own queue"),
    ("sqs:DeleteMessage", "own queue"),
    ("sqs:GetQueueAttributes", "own queue"),
    ("sqs:GetQueueUrl", "own queue"),
    ("sqs:ReceiveMessage", "own queue"),
}


def read(things: str) -> set[tuple[str, str]]:
    return {("s3:GetObject", things), ("s3:GetObjectVersion", things)}


def listed(bucket: str) -> set[tuple[str, str]]:
    return {("s3:ListBucket", bucket), ("s3:ListBucketVersions", bucket)}


def put(things: str) -> set[tuple[str, str]]:
    return {("s3:PutObject", things), ("s3:AbortMultipartUpload", things)}


def read_items(table: str) -> set[tuple[str, str]]:
    return {("dynamodb:GetItem", table), ("dynamodb:Query", table)}


def write_items(table: str) -> set[tuple[str, str]]:
    verbs = ("ConditionCheckItem", "PutItem", "UpdateItem")
    return {(f"dynamodb:{verb}", table) for verb in verbs}


# Nothing less than this, and nothing more.
MAY = {
    "predict": LOG
    | read("models/artifacts/*")
    | read_items("registry")
    | {("dynamodb:Query", "access[POLICIES]")},
    "authorise": LOG
    | {("dynamodb:GetItem", "access[KEYS]"), ("dynamodb:UpdateItem", "access[COUNT#*]")},
    "grant": LOG
    | {(f"dynamodb:{verb}", "access[KEYS]") for verb in ("Query", "PutItem", "UpdateItem")}
    | {
        (f"dynamodb:{verb}", "access[POLICIES]")
        for verb in ("GetItem", "Query", "PutItem", "DeleteItem")
    },
    # CloudWatch knows no resource, nor a condition, by which reading metrics could be narrowed.
    "observe": LOG
    | {("cloudwatch:GetMetricData", "*"), ("cloudwatch:ListMetrics", "*")}
    | {("dynamodb:Query", "access[POLICIES]")},
    "manage": LOG
    | put("models/models/*")
    | put("inbox/inbox/*")
    | read("inbox/inbox/*")
    | read("results/*")
    | read_items("registry")
    | write_items("registry")
    | read_items("jobs")
    | {("dynamodb:Query", "access[POLICIES]")},
    "register": LOG
    | OWN_QUEUE
    | listed("models")
    | read("models/models/*")
    | read("models/artifacts/*")
    | put("models/artifacts/*")
    | read_items("registry")
    | write_items("registry"),
    "intake": LOG
    | OWN_QUEUE
    | listed("inbox")
    | read("inbox/*")
    | listed("results")
    | read("results/*")
    | put("results/*")
    | read_items("registry")
    | read_items("jobs")
    | write_items("jobs")
    | {("sqs:SendMessage", "shards")},
    "batch": LOG
    | OWN_QUEUE
    | listed("inbox")
    | read("inbox/*")
    | read("models/artifacts/*")
    | listed("results")
    | read("results/*")
    | put("results/*")
    | read_items("registry")
    | read_items("jobs")
    | write_items("jobs"),
}


@pytest.mark.parametrize("function", MAY)
def test_a_function_may_do_what_its_work_needs_and_nothing_else(cloud: Cloud, function: str):
    assert cloud.may(function) == MAY[function]


def test_every_function_is_listed(cloud: Cloud):
    assert set(cloud.functions) == set(MAY)


def test_every_function_has_a_role_of_its_own(cloud: Cloud):
    roles = [cloud.told(function["Role"]) for function in cloud.functions.values()]
    assert len(set(roles)) == len(roles)


def test_only_register_writes_artifacts(cloud: Cloud):
    writers = {
        function
        for function in cloud.functions
        for action, resource in cloud.may(function)
        if action == "s3:PutObject" and resource == "models/artifacts/*"
    }
    assert writers == {"register"}


def test_authorise_cannot_read_models_nor_anything_but_keys(cloud: Cloud):
    assert {resource for _, resource in cloud.may("authorise")} == {
        "own log",
        "access[KEYS]",
        "access[COUNT#*]",
    }


def test_only_grant_writes_keys_and_policies(cloud: Cloud):
    writers = {
        function
        for function in cloud.functions
        for action, resource in cloud.may(function)
        if resource in ("access[KEYS]", "access[POLICIES]")
        and action not in ("dynamodb:GetItem", "dynamodb:Query")
    }
    assert writers == {"grant"}


def test_nobody_may_hand_a_role_on(cloud: Cloud):
    for statement in cloud.statements():
        assert "iam:PassRole" not in statement["Action"]


def test_no_function_writes_where_its_writing_would_wake_it(cloud: Cloud):
    written = {
        function: {r for action, r in cloud.may(function) if action == "s3:PutObject"}
        for function in ("register", "intake", "batch")
    }
    assert written["register"] == {"models/artifacts/*"}
    assert written["intake"] == written["batch"] == {"results/*"}


def test_nobody_may_delete_an_object(cloud: Cloud):
    actions = {action for function in cloud.functions for action, _ in cloud.may(function)}
    assert not {action for action in actions if action.startswith("s3:Delete")}


def test_no_managed_policy_is_attached(cloud: Cloud):
    for role in cloud.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        assert "Policies" not in role


def test_no_statement_allows_a_star_but_the_reading_of_metrics(cloud: Cloud):
    for statement in cloud.statements():
        if statement["Action"] == ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]:
            continue  # `observe` alone has it, as the list above says
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert "*" not in action
        assert statement.get("Resource") != "*"
        assert statement.get("Principal") not in ("*", {"AWS": "*"})


def test_a_queue_takes_events_only_from_the_rule_that_feeds_it(cloud: Cloud):
    rules = set(cloud.of_type("AWS::Events::Rule"))
    for statement in cloud.statements():
        if statement.get("Principal") == {"Service": "events.amazonaws.com"}:
            (source,) = statement["Condition"]["ArnEquals"].values()
            assert cloud.told(source) in rules


def test_the_partitions_that_functions_may_touch_are_those_of_the_code(cloud: Cloud, aws: None):
    dynamodb = boto3.client("dynamodb")
    KeyBook("access", dynamodb=dynamodb).add(KeyFacts("a", "a", SecretHash("00", "00"), "2026"))
    policy = Policy("a", ("key:a",), frozenset({Action.READ}), ("*",))
    PolicyBook("access", dynamodb=dynamodb).put(policy)
    limits = windows(datetime.now(UTC), rate_per_s=1)
    CallCounts("access", dynamodb=dynamodb).exceeded("a", limits)
    written = {item["pk"]["S"] for item in dynamodb.scan(TableName="access")["Items"]}

    granted = {thing for f in ("authorise", "grant") for _, thing in cloud.may(f)}
    limited = {m[1] for thing in granted if (m := re.fullmatch(r"access\[(.*)\]", thing))}
    matched = {next(g for g in limited if fnmatchcase(pk, g)) for pk in written}
    assert matched == limited

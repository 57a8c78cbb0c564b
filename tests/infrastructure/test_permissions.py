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
from tests.infrastructure.permissions import BUS, MAY, STARRED


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


@pytest.mark.fault("F15")
def test_no_function_writes_where_its_writing_would_wake_it(cloud: Cloud):
    written = {
        function: {r for action, r in cloud.may(function) if action == "s3:PutObject"}
        for function in cloud.functions
    }
    assert written["register"] == {"models/artifacts/*"}
    assert written["intake"] == written["batch"] == written["batch_parquet"] == {"results/*"}
    # Nobody is told of what is in the staging bucket.
    assert written["hand_off"] == {"staging/in/*", "staging/manifests/*"}
    assert written["collect"] == {"results/*", "staging/failed/*"}
    # What looks after all jobs answers for none.
    assert written["sweep"] == written["notify"] == written["provision"] == set()


def test_nothing_is_deleted_but_what_a_job_leaves_on_its_way(cloud: Cloud):
    deletes = {
        (function, action, resource)
        for function in cloud.functions
        for action, resource in cloud.may(function)
        if action.startswith("s3:Delete")
    }
    assert deletes == {
        ("batch", "s3:DeleteObject", "results/_parts/*"),
        ("batch_parquet", "s3:DeleteObject", "results/_parts/*"),
        ("collect", "s3:DeleteObject", "results/_parts/*"),
        ("collect", "s3:DeleteObject", "staging/in/*"),
        ("collect", "s3:DeleteObject", "staging/out/*"),
    }


def test_only_who_ends_jobs_tells_that_they_ended_and_who_moves_versions_of_those(cloud: Cloud):
    tellers = {
        (function, thing)
        for function in cloud.functions
        for action, thing in cloud.may(function)
        if action == "events:PutEvents"
    }
    enders = ("intake", "batch", "batch_parquet", "sweep", "collect")
    movers = ("register", "manage", "hand_off")  # the last misses a version's endpoint
    assert tellers == {
        *((function, f"{BUS}[headrace: Job Ended]") for function in enders),
        *((function, f"{BUS}[headrace: Versions Moved]") for function in movers),
    }


def test_messages_are_taken_by_the_function_that_a_queue_feeds_and_dead_ones_by_redrive(
    cloud: Cloud,
):
    takers = {
        (function, queue)
        for function in cloud.functions
        for action, queue in cloud.may(function)
        if action in ("sqs:ReceiveMessage", "sqs:DeleteMessage")
    }
    fed = {(function, "own queue") for function in cloud.functions if cloud.queue_of(function)}
    assert takers == fed | {("redrive", f"dead-{queue}") for queue in cloud.queues()}


def test_no_managed_policy_is_attached(cloud: Cloud):
    for role in cloud.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        assert "Policies" not in role


def test_no_statement_allows_a_star_but_what_knows_no_resource(cloud: Cloud):
    for statement in cloud.statements():
        actions = statement["Action"]
        if STARRED.issuperset([actions] if isinstance(actions, str) else actions):
            continue
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

"""Everything that can go wrong has an alarm, a page, and somebody who is told."""

import json
import re

import pytest

from headrace_runtime.monitoring.emf import NAMESPACE
from infra.aws.routes import ROUTES
from tests.infrastructure.cloud import ROOT, Cloud

ANSWERING = {*ROUTES, "authorise"}
WORKING = {
    "register",
    "intake",
    "batch",
    "batch_parquet",
    "sweep",
    "notify",
    "hand_off",
    "collect",
    "provision",
}


def alarms_on(cloud: Cloud, metric: str) -> list[dict]:
    return [
        alarm
        for alarm in cloud.of_type("AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == metric
    ]


def functions_of(cloud: Cloud, alarms: list[dict]) -> set[str]:
    return {
        cloud.folder_of(dimension["Value"]["Ref"])
        for alarm in alarms
        for dimension in alarm["Dimensions"]
        if dimension["Name"] == "FunctionName"
    }


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_every_function_is_watched_for(cloud: Cloud, metric: str):
    assert functions_of(cloud, alarms_on(cloud, metric)) == ANSWERING | WORKING


def test_the_slowest_calls_of_functions_that_answer_are_watched(cloud: Cloud):
    alarms = alarms_on(cloud, "Duration")
    assert functions_of(cloud, alarms) == ANSWERING
    assert {alarm["ExtendedStatistic"] for alarm in alarms} == {"p99"}


def test_every_dead_letter_is_told(cloud: Cloud):
    alarms = alarms_on(cloud, "ApproximateNumberOfMessagesVisible")
    watched = {alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for alarm in alarms}
    queues = cloud.of_type("AWS::SQS::Queue")
    assert watched == {key for key, queue in queues.items() if "RedrivePolicy" not in queue}
    assert all(alarm["Threshold"] == 1 for alarm in alarms)


def test_every_message_that_waits_too_long_is_told(cloud: Cloud):
    alarms = alarms_on(cloud, "ApproximateAgeOfOldestMessage")
    watched = {alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for alarm in alarms}
    queues = cloud.of_type("AWS::SQS::Queue")
    assert watched == {key for key, queue in queues.items() if "RedrivePolicy" in queue}
    by_queue = {cloud.told(alarm["Dimensions"][0]["Value"]): alarm["Threshold"] for alarm in alarms}
    assert by_queue == {
        "models": 900,
        "files": 900,
        "webhooks": 900,
        "provision": 900,
        "shards": 7200,
        "parquetshards": 7200,
        "handoff": 7200,
        "collected": 7200,
    }


@pytest.mark.parametrize("function", ["sweep", "provision"])
def test_what_the_clock_wakes_and_fails_each_time_is_told_though_it_fails_seldom(
    cloud: Cloud, function: str
):
    for metric in ("Errors", "Throttles"):
        (alarm,) = [a for a in alarms_on(cloud, metric) if functions_of(cloud, [a]) == {function}]
        assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"]) == (1, 300, 3)


@pytest.mark.parametrize(
    ("metric", "function", "statistic", "threshold"),
    [
        ("GpuFailures", "collect", "Sum", 5),
        ("EndpointsFailed", "provision", "Maximum", 1),
        ("EndpointsStuck", "provision", "Maximum", 1),
        ("EndpointsWithheld", "provision", "Maximum", 1),
        ("GpuSpentUsd", "provision", "Maximum", 80),
    ],
)
def test_work_on_gpus_is_watched_by_what_our_functions_tell(
    cloud: Cloud, light: Cloud, metric: str, function: str, statistic: str, threshold: float
):
    (alarm,) = alarms_on(cloud, metric)
    assert (alarm["Namespace"], alarm["Period"]) == (NAMESPACE, 300)
    assert alarm["Dimensions"] == [{"Name": "function", "Value": function}]
    assert (alarm["Statistic"], alarm["Threshold"]) == (statistic, threshold)
    assert not alarms_on(light, metric)


def test_the_account_and_the_api_are_watched(cloud: Cloud):
    (concurrency,) = alarms_on(cloud, "ConcurrentExecutions")
    assert "Dimensions" not in concurrency
    (share,) = [a for a in cloud.of_type("AWS::CloudWatch::Alarm").values() if "Metrics" in a]
    named = {m["MetricStat"]["Metric"]["MetricName"] for m in share["Metrics"] if "MetricStat" in m}
    assert named == {"5xx", "Count"}


# The alarms of functions, queues and the API name theirs; the budget's mail cannot.
PAGES = {
    "concurrency",
    "dead-letters",
    "endpoints-failed",
    "endpoints-stuck",
    "endpoints-withheld",
    "errors",
    "gpu-budget",
    "gpu-failures",
    "latency",
    "new-version-errors",
    "old-messages",
    "provision",
    "server-errors",
    "stuck-jobs",
    "sweep",
    "throttles",
}
APART = {"budget", "endpoint-waits"}  # the account's, and one that `provision` makes itself


@pytest.mark.parametrize("page", sorted(PAGES | APART))
def test_the_runbook_has_cause_check_and_cure_of_every_alarm(page: str):
    runbook = (ROOT / "docs/running.md").read_text()
    written = re.findall(
        rf"^### Alarm: {page}$\n(.*?)(?=^##|\Z)", runbook, re.MULTILINE | re.DOTALL
    )
    assert len(written) == 1
    for part in ("cause", "check", "cure"):
        assert f"**{part}**" in written[0].lower()


def test_the_runbook_has_no_page_of_an_alarm_that_there_is_not():
    runbook = (ROOT / "docs/running.md").read_text()
    assert set(re.findall(r"^### Alarm: (\S+)$", runbook, re.MULTILINE)) == PAGES | APART


def test_every_alarm_names_its_page_and_tells_somebody(full: Cloud):
    topic = full.environment("provision")["HEADRACE_ALARM_TOPIC"]
    pages = set()
    for alarm in full.of_type("AWS::CloudWatch::Alarm").values():
        pages.add(re.search(r"docs/running\.md#alarm-([a-z-]+)$", alarm["AlarmDescription"])[1])
        (told,) = alarm["AlarmActions"]
        assert (full.told(told), alarm["OKActions"]) == (topic, [told])
        assert alarm["TreatMissingData"] == "notBreaching"
    assert pages == PAGES


def test_the_topic_is_encrypted_and_takes_only_what_this_account_tells(full: Cloud):
    (topic,) = [t for k, t in full.of_type("AWS::SNS::Topic").items() if _told(full, k)]
    (key,) = full.of_type("AWS::KMS::Key")
    assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    assert full.of_type("AWS::KMS::Key")[key]["EnableKeyRotation"] is True
    (policy,) = [
        policy
        for policy in full.of_type("AWS::SNS::TopicPolicy").values()
        if _told(full, policy["Topics"][0]["Ref"])
    ]
    refused, allowed = sorted(
        policy["PolicyDocument"]["Statement"], key=lambda s: s["Effect"], reverse=True
    )
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert allowed["Principal"]["Service"] == [
        "budgets.amazonaws.com",
        "cloudwatch.amazonaws.com",
    ]
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def _told(cloud: Cloud, topic: str) -> bool:
    return cloud.told({"Ref": topic}) == "alarms"


def test_the_stage_says_who_gets_mail_and_what_a_month_may_cost(full: Cloud, cloud: Cloud):
    subscribed = [
        (one["Protocol"], one["Endpoint"])
        for one in full.of_type("AWS::SNS::Subscription").values()
        if _told(full, one["TopicArn"]["Ref"])
    ]
    assert subscribed == [("email", "oncall@example.com")]
    (budget,) = full.of_type("AWS::Budgets::Budget").values()
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 100, "Unit": "USD"}
    told = [n["Notification"] for n in budget["NotificationsWithSubscribers"]]
    assert [(n["NotificationType"], n["Threshold"]) for n in told] == [
        ("ACTUAL", 80),
        ("FORECASTED", 100),
    ]
    mails = [s for s in cloud.of_type("AWS::SNS::Subscription").values() if s["Protocol"] != "sqs"]
    assert not mails
    assert not cloud.of_type("AWS::Budgets::Budget")


@pytest.mark.parametrize(
    "metric",
    [
        "Requests",
        "Errors",
        "InferMs",
        "ColdStart",
        "RowsFailed",
        "QueueAgeMs",
        "EstimatedCostUsd",
        "5xx",
        "ApproximateAgeOfOldestMessage",
        "ApproximateBacklogSize",
        "GPUUtilization",
        "GpuBodies",
        "GpuFailures",
        "GpuFallbacks",
        "GpuSpentUsd",
    ],
)
def test_the_dashboard_shows(cloud: Cloud, metric: str):
    (dashboard,) = cloud.of_type("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["DashboardBody"])
    assert re.search(rf'\\"{metric}[\\"]', body)


def test_the_dashboard_of_a_stage_without_gpus_shows_none(light: Cloud):
    (dashboard,) = light.of_type("AWS::CloudWatch::Dashboard").values()
    assert not re.search("gpu|SageMaker", json.dumps(dashboard["DashboardBody"]), re.IGNORECASE)

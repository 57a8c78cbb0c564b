"""What wakes what, and what happens to what cannot be done."""

import ast
from fnmatch import fnmatchcase

import pytest

from headrace_runtime.aws.announcing import KIND, SOURCE
from tests.infrastructure.cloud import ROOT, Cloud

FED_BY_A_QUEUE = (
    "register",
    "intake",
    "batch",
    "batch_parquet",
    "notify",
    "hand_off",
    "collect",
    "provision",
)
CLOCKED = ("sweep", "provision")


@pytest.mark.fault("F13")
@pytest.mark.parametrize("function", FED_BY_A_QUEUE)
def test_a_queue_gives_its_function_six_timeouts_before_it_tries_again(cloud: Cloud, function: str):
    queue = cloud.of_type("AWS::SQS::Queue")[cloud.queue_of(function)]
    assert queue["VisibilityTimeout"] >= 6 * cloud.functions[function]["Timeout"]


@pytest.mark.fault("F8", "F12")
@pytest.mark.parametrize("function", FED_BY_A_QUEUE)
def test_a_message_that_keeps_failing_is_set_aside_for_two_weeks(cloud: Cloud, function: str):
    queues = cloud.of_type("AWS::SQS::Queue")
    redrive = queues[cloud.queue_of(function)]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] >= 5
    dead_letters = queues[cloud.dead_letters(cloud.queue_of(function))]
    assert dead_letters["MessageRetentionPeriod"] == 14 * 24 * 3600


@pytest.mark.fault("F7", "F12")
def test_every_mapping_reports_partial_failures_and_limits_its_polling(cloud: Cloud):
    for mapping in cloud.of_type("AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2


@pytest.mark.fault("F12")
def test_no_function_is_given_fewer_runs_at_a_time_than_its_queue_may_start(cloud: Cloud):
    for properties in cloud.functions.values():
        assert "ReservedConcurrentExecutions" not in properties


def test_every_rule_that_waits_for_events_keeps_what_it_cannot_deliver(cloud: Cloud):
    for rule in cloud.of_type("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            if "EventPattern" in rule:
                queue = cloud.told(target["Arn"])
                assert cloud.told(target["DeadLetterConfig"]["Arn"]) == f"dead-{queue}"


def test_what_the_clock_wakes_is_left_to_the_next_time_where_it_fails(cloud: Cloud):
    woken = []
    for rule in cloud.of_type("AWS::Events::Rule").values():
        if "ScheduleExpression" in rule:
            assert rule["ScheduleExpression"] == "rate(5 minutes)"
            assert rule["State"] == "ENABLED"
            (target,) = rule["Targets"]
            assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
            woken.append(cloud.woken(target["Arn"]))
    assert sorted(woken) == sorted(CLOCKED)
    configs = cloud.of_type("AWS::Lambda::EventInvokeConfig").values()
    assert {cloud.folder_of(c["FunctionName"]["Ref"]) for c in configs} == set(CLOCKED)
    assert {config["MaximumRetryAttempts"] for config in configs} == {0}
    assert all(cloud.functions[function]["Timeout"] < 5 * 60 for function in CLOCKED)


def test_the_end_of_a_job_with_a_webhook_waits_for_notify(cloud: Cloud):
    (rule,) = [
        r
        for r in cloud.of_type("AWS::Events::Rule").values()
        if "webhook" in r.get("EventPattern", {}).get("detail", {})
    ]
    assert rule["EventPattern"]["detail-type"] == [KIND]
    assert (SOURCE, KIND) == ("headrace", "Job Ended")  # what the functions tell
    assert rule["EventPattern"]["source"] == ["headrace"]
    assert rule["EventPattern"]["detail"] == {"webhook": [{"exists": True}]}
    (target,) = rule["Targets"]
    assert target["Arn"]["Fn::GetAtt"][0] == cloud.queue_of("notify")
    # The very event as it was told.
    assert not {"Input", "InputPath", "InputTransformer"} & set(target)


@pytest.mark.parametrize(
    ("function", "batch_size", "max_concurrency"),
    [
        ("register", 1, 2),
        ("intake", 10, 5),
        ("batch", 1, 10),
        ("batch_parquet", 1, 10),
        ("notify", 1, 5),
        ("hand_off", 1, 10),
        ("collect", 1, 10),
        ("provision", 10, 2),
    ],
)
def test_a_function_takes_so_many_messages_so_often_at_a_time(
    cloud: Cloud, function: str, batch_size: int, max_concurrency: int
):
    (mapping,) = [
        m
        for m in cloud.of_type("AWS::Lambda::EventSourceMapping").values()
        if cloud.woken(m["FunctionName"]) == function
    ]
    assert mapping["BatchSize"] == batch_size
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == max_concurrency


def test_the_stage_says_how_many_shards_are_worked_at_a_time(full: Cloud):
    mappings = full.of_type("AWS::Lambda::EventSourceMapping").values()
    at_a_time = {
        full.woken(m["FunctionName"]): m["ScalingConfig"]["MaximumConcurrency"] for m in mappings
    }
    assert at_a_time["batch"] == at_a_time["batch_parquet"] == 50
    assert at_a_time["hand_off"] == at_a_time["collect"] == 50
    assert full.environment("submit")["HEADRACE_MAX_CONCURRENCY"] == "50"


@pytest.mark.fault("F15")
def test_a_function_that_puts_work_into_its_own_queue_is_not_taken_for_a_loop(cloud: Cloud):
    for function, properties in cloud.functions.items():
        wakes_itself = ("sqs:SendMessage", "own queue") in cloud.may(function)
        assert properties["RecursiveLoop"] == ("Allow" if wakes_itself else "Terminate")


def test_redrive_knows_every_queue_with_its_dead_letters(cloud: Cloud):
    queues = cloud.environment("redrive")["HEADRACE_QUEUES"].split(" ")
    assert queues == [
        "models=models,dead-models",
        "files=files,dead-files",
        "shards=shards,dead-shards",
        "parquet-shards=parquetshards,dead-parquetshards",
        "webhooks=webhooks,dead-webhooks",
        "hand-off=handoff,dead-handoff",
        "collected=collected,dead-collected",
        "provision=provision,dead-provision",
    ]


def test_a_function_is_told_the_queues_that_it_puts_work_into(cloud: Cloud):
    for function in cloud.functions:
        if function != "redrive":
            told = {v for n, v in cloud.environment(function).items() if n.endswith("QUEUE_URL")}
            own = cloud.queue_of(function)
            own_name = cloud.told({"Ref": own}) if own else None
            into = {queue for action, queue in cloud.may(function) if action == "sqs:SendMessage"}
            assert {"own queue" if name == own_name else name for name in told} == into


@pytest.mark.parametrize(
    ("bucket", "key", "woken"),
    [
        ("models", "models/digits/a.onnx", "register"),
        ("models", "models/digits/a/b c.onnx", "register"),
        ("models", "models/digits/readme.md", None),
        ("models", "artifacts/0123/model.onnx", None),
        ("inbox", "digits@2/today/rows.csv", "intake"),
        ("inbox", "inbox/digits/rows.jsonl", "intake"),
        ("results", "digits/rows.csv/0123/manifest.json", None),
        ("results", "_parts/0123/0", None),
    ],
)
def test_an_object_wakes_the_function_that_it_is_for(
    cloud: Cloud, bucket: str, key: str, woken: str | None
):
    queues = {cloud.queue_of(function): function for function in FED_BY_A_QUEUE}
    matching = [
        queues[target["Arn"]["Fn::GetAtt"][0]]
        for rule in cloud.of_type("AWS::Events::Rule").values()
        if rule.get("EventPattern", {}).get("source") == ["aws.s3"]
        and _matches(cloud, rule["EventPattern"], bucket, key)
        for target in rule["Targets"]
    ]
    assert matching == ([woken] if woken else [])


def _matches(cloud: Cloud, pattern: dict, bucket: str, key: str) -> bool:
    assert pattern["detail-type"] == ["Object Created"]
    buckets = [cloud.told(name) for name in pattern["detail"]["bucket"]["name"]]
    keys = pattern["detail"].get("object", {"key": [{"wildcard": "*"}]})["key"]
    return bucket in buckets and any(fnmatchcase(key, rule["wildcard"]) for rule in keys)


@pytest.mark.parametrize("function", ["predict", "manage", "submit", "redrive", "grant"])
def test_the_api_has_the_routes_that_the_handler_answers(cloud: Cloud, function: str):
    wired = {
        route["RouteKey"]
        for route in cloud.of_type("AWS::ApiGatewayV2::Route").values()
        if _woken_by(cloud, route) == function
    }
    assert wired == _routes(function)


def _woken_by(cloud: Cloud, route: dict) -> str:
    integration = cloud.told(route["Target"]).removeprefix("integrations/")
    target = cloud.of_type("AWS::ApiGatewayV2::Integration")[integration]
    assert target["PayloadFormatVersion"] == "2.0"
    return cloud.woken(target["IntegrationUri"])


def _routes(function: str) -> set[str]:
    """The keys of the handler's `ROUTES`, or `routes` of a call, read without running it."""
    tree = ast.parse((ROOT / "functions" / function / "handler.py").read_text())
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="ROUTES" | "routes")], value=ast.Dict(keys=keys))
                | ast.AnnAssign(target=ast.Name(id="ROUTES" | "routes"), value=ast.Dict(keys=keys))
            ):
                return {ast.literal_eval(key) for key in keys if key is not None}
    raise AssertionError(f"{function} has no literal routes.")


def test_the_api_lets_only_itself_wake_a_function(cloud: Cloud):
    (api,) = cloud.of_type("AWS::ApiGatewayV2::Api")
    (authoriser,) = cloud.of_type("AWS::ApiGatewayV2::Authorizer")
    permissions = [
        permission
        for permission in cloud.of_type("AWS::Lambda::Permission").values()
        if cloud.woken(permission["FunctionName"]) not in CLOCKED
    ]
    # Not `/*/*/*`: the ARN of `$default` ends one part earlier.
    wanted = {"authorise": f":{api}/authorizers/{authoriser}"}
    assert len(permissions) == 7
    for permission in permissions:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        function = cloud.woken(permission["FunctionName"])
        assert cloud.told(permission["SourceArn"]).endswith(wanted.get(function, f":{api}/*/*"))


@pytest.mark.parametrize("function", CLOCKED)
def test_the_clock_wakes_a_function_and_nobody_else_does(cloud: Cloud, function: str):
    (clock,) = [
        key
        for key, rule in cloud.of_type("AWS::Events::Rule").items()
        if "ScheduleExpression" in rule and cloud.woken(rule["Targets"][0]["Arn"]) == function
    ]
    (permission,) = [
        permission
        for permission in cloud.of_type("AWS::Lambda::Permission").values()
        if cloud.woken(permission["FunctionName"]) == function
    ]
    assert permission["Principal"] == "events.amazonaws.com"
    assert cloud.told(permission["SourceArn"]) == clock


def test_every_route_but_health_is_behind_the_authoriser(cloud: Cloud):
    (authoriser,) = cloud.of_type("AWS::ApiGatewayV2::Authorizer")
    routes = cloud.of_type("AWS::ApiGatewayV2::Route").values()
    open_to_all = {r["RouteKey"] for r in routes if r["AuthorizationType"] == "NONE"}
    assert open_to_all == {"GET /v2/health/live", "GET /v2/health/ready"}
    for route in routes:
        if route["RouteKey"] not in open_to_all:
            assert route["AuthorizationType"] == "CUSTOM"
            assert route["AuthorizerId"] == {"Ref": authoriser}


def test_the_authoriser_is_asked_at_every_call(cloud: Cloud):
    (authoriser,) = cloud.of_type("AWS::ApiGatewayV2::Authorizer").values()
    assert cloud.woken(authoriser["AuthorizerUri"]) == "authorise"
    assert authoriser["AuthorizerType"] == "REQUEST"
    assert authoriser["AuthorizerResultTtlInSeconds"] == 0
    assert "IdentitySource" not in authoriser  # a call without a credential is asked about, too
    assert authoriser["EnableSimpleResponses"] is True
    assert authoriser["AuthorizerPayloadFormatVersion"] == "2.0"


def test_everything_that_is_woken_is_a_published_version(cloud: Cloud):
    versions = set(cloud.of_type("AWS::Lambda::Version"))
    aliases = cloud.of_type("AWS::Lambda::Alias").values()
    assert len(aliases) == len(cloud.functions)
    for alias in aliases:
        assert cloud.told(alias["FunctionVersion"]) in versions
    for mapping in cloud.of_type("AWS::Lambda::EventSourceMapping").values():
        assert cloud.woken(mapping["FunctionName"])


@pytest.mark.parametrize("function", FED_BY_A_QUEUE)
def test_dead_letters_are_of_their_own_queue_alone(cloud: Cloud, function: str):
    queues = cloud.of_type("AWS::SQS::Queue")
    queue = queues[cloud.queue_of(function)]
    dead_letters = queues[cloud.dead_letters(cloud.queue_of(function))]
    allowed = dead_letters["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    (source,) = allowed["sourceQueueArns"]
    assert cloud.told(source).endswith(f":{queue['QueueName']}")
    assert queue["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}

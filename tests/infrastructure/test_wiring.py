"""What wakes what, and what happens to what cannot be done."""

import ast
from fnmatch import fnmatchcase

import pytest

from tests.infrastructure.cloud import ROOT, Cloud

FED_BY_A_QUEUE = ("register", "intake", "batch")


@pytest.mark.parametrize("function", FED_BY_A_QUEUE)
def test_a_queue_gives_its_function_six_timeouts_before_it_tries_again(cloud: Cloud, function: str):
    queue = cloud.of_type("AWS::SQS::Queue")[cloud.queue_of(function)]
    assert queue["VisibilityTimeout"] >= 6 * cloud.functions[function]["Timeout"]


@pytest.mark.parametrize("function", FED_BY_A_QUEUE)
def test_a_message_that_keeps_failing_is_set_aside_for_two_weeks(cloud: Cloud, function: str):
    queues = cloud.of_type("AWS::SQS::Queue")
    redrive = queues[cloud.queue_of(function)]["RedrivePolicy"]
    assert redrive["maxReceiveCount"] >= 5
    dead_letters = queues[cloud.told(redrive["deadLetterTargetArn"])]
    assert dead_letters["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_every_mapping_reports_partial_failures_and_limits_its_polling(cloud: Cloud):
    for mapping in cloud.of_type("AWS::Lambda::EventSourceMapping").values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_every_rule_keeps_what_it_cannot_deliver(cloud: Cloud):
    queues = set(cloud.of_type("AWS::SQS::Queue"))
    for rule in cloud.of_type("AWS::Events::Rule").values():
        for target in rule["Targets"]:
            assert cloud.told(target["DeadLetterConfig"]["Arn"]) in queues


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
    ],
)
def test_an_object_wakes_the_function_that_it_is_for(
    cloud: Cloud, bucket: str, key: str, woken: str | None
):
    queues = {cloud.queue_of(function): function for function in FED_BY_A_QUEUE}
    matching = [
        queues[cloud.told(target["Arn"])]
        for rule in cloud.of_type("AWS::Events::Rule").values()
        if _matches(cloud, rule["EventPattern"], bucket, key)
        for target in rule["Targets"]
    ]
    assert matching == ([woken] if woken else [])


def _matches(cloud: Cloud, pattern: dict, bucket: str, key: str) -> bool:
    assert pattern["source"] == ["aws.s3"]
    assert pattern["detail-type"] == ["Object Created"]
    buckets = [cloud.told(name) for name in pattern["detail"]["bucket"]["name"]]
    keys = pattern["detail"].get("object", {"key": [{"wildcard": "*"}]})["key"]
    return bucket in buckets and any(fnmatchcase(key, rule["wildcard"]) for rule in keys)


@pytest.mark.parametrize("function", ["predict", "manage", "grant"])
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
    """The keys of the handler's `ROUTES`, read without running it."""
    tree = ast.parse((ROOT / "functions" / function / "handler.py").read_text())
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="ROUTES")], value=ast.Dict(keys=keys))
                | ast.AnnAssign(target=ast.Name(id="ROUTES"), value=ast.Dict(keys=keys))
            ):
                return {ast.literal_eval(key) for key in keys if key is not None}
    raise AssertionError(f"{function} has no literal ROUTES.")


def test_the_api_lets_only_itself_wake_a_function(cloud: Cloud):
    (api,) = cloud.of_type("AWS::ApiGatewayV2::Api")
    (authoriser,) = cloud.of_type("AWS::ApiGatewayV2::Authorizer")
    permissions = cloud.of_type("AWS::Lambda::Permission").values()
    # Not `/*/*/*`: the ARN of `$default` ends one part earlier.
    wanted = {"authorise": f":{api}/authorizers/{authoriser}"}
    assert len(permissions) == 5
    for permission in permissions:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        function = cloud.woken(permission["FunctionName"])
        assert cloud.told(permission["SourceArn"]).endswith(wanted.get(function, f":{api}/*/*"))


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
    dead_letters = queues[cloud.told(queue["RedrivePolicy"]["deadLetterTargetArn"])]
    allowed = dead_letters["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    (source,) = allowed["sourceQueueArns"]
    assert cloud.told(source).endswith(f":{queue['QueueName']}")
    assert queue["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}

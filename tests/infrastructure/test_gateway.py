"""The API's own doings, as the stage says them."""

import json
import re

from tests.infrastructure.cloud import Cloud
from tests.infrastructure.permissions import STARRED


def test_the_stage_says_how_much_the_api_takes(full: Cloud):
    (stage,) = full.of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"] == {
        "DetailedMetricsEnabled": True,
        "ThrottlingBurstLimit": 60,
        "ThrottlingRateLimit": 50,
    }


def test_every_call_leaves_a_line_without_anything_that_was_sent(full: Cloud):
    (stage,) = full.of_type("AWS::ApiGatewayV2::Stage").values()
    (group,) = [
        log
        for key, log in full.of_type("AWS::Logs::LogGroup").items()
        if stage["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0] == key
    ]
    assert group["RetentionInDays"] == 90
    line = json.loads(stage["AccessLogSettings"]["Format"])
    told = set(line.values())
    assert "$context.requestId" in told
    assert not {"$context.path", "$context.protocol"} & told
    assert not [value for value in told if "header" in value or "query" in value.lower()]


def test_pages_may_call_only_from_where_the_stage_says(full: Cloud, cloud: Cloud):
    (api,) = full.of_type("AWS::ApiGatewayV2::Api").values()
    assert api["CorsConfiguration"]["AllowOrigins"] == ["https://app.example.com"]
    assert "AllowCredentials" not in api["CorsConfiguration"]
    (api,) = cloud.of_type("AWS::ApiGatewayV2::Api").values()
    assert "CorsConfiguration" not in api


def test_a_page_that_asks_beforehand_is_answered_without_a_credential(full: Cloud, cloud: Cloud):
    routes = {r["RouteKey"]: r for r in full.of_type("AWS::ApiGatewayV2::Route").values()}
    asked = routes["OPTIONS /{proxy+}"]
    assert (asked["AuthorizationType"], "AuthorizerId" in asked) == ("NONE", False)
    assert asked["Target"] == routes["$default"]["Target"]
    open_to_all = {key for key, route in routes.items() if route["AuthorizationType"] == "NONE"}
    assert open_to_all == {"GET /v2/health/live", "GET /v2/health/ready", "OPTIONS /{proxy+}"}
    every = cloud.of_type("AWS::ApiGatewayV2::Route").values()
    assert "OPTIONS /{proxy+}" not in {route["RouteKey"] for route in every}


def test_a_page_may_send_what_a_call_is_signed_with_where_calls_are_signed(
    full: Cloud, signed: Cloud
):
    told = [
        set(api["CorsConfiguration"]["AllowHeaders"])
        for cloud in (full, signed)
        for api in cloud.of_type("AWS::ApiGatewayV2::Api").values()
    ]
    assert {"authorization", "idempotency-key", "x-api-key"} <= told[0]
    assert told[1] - told[0] == {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}


def test_with_a_domain_the_api_answers_by_no_other_name(full: Cloud):
    (api,) = full.of_type("AWS::ApiGatewayV2::Api").values()
    assert api["DisableExecuteApiEndpoint"] is True
    (domain,) = full.of_type("AWS::ApiGatewayV2::DomainName").values()
    assert domain["DomainName"] == "predict.example.com"
    (configuration,) = domain["DomainNameConfigurations"]
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    (record,) = full.of_type("AWS::Route53::RecordSet").values()
    assert record["Name"] == "predict.example.com"
    assert full.outputs["Url"]["Value"] == "https://predict.example.com"


def test_the_stage_says_the_architecture_of_functions_and_layers(full: Cloud):
    assert {f["Architectures"][0] for f in full.functions.values()} == {"arm64"}
    layers = full.of_type("AWS::Lambda::LayerVersion").values()
    assert {layer["CompatibleArchitectures"][0] for layer in layers} == {"arm64"}


def test_calls_are_traced_where_the_stage_says_so(full: Cloud, cloud: Cloud):
    assert {f["TracingConfig"]["Mode"] for f in full.functions.values()} == {"Active"}
    assert not [f for f in cloud.functions.values() if "TracingConfig" in f]


def test_nothing_but_traces_and_what_knows_no_resource_is_allowed_on_a_star(full: Cloud):
    starred = {
        action
        for s in full.statements()
        if s.get("Resource") == "*"
        for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    assert starred == STARRED | {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}


def test_authorise_believes_whom_the_stage_names(full: Cloud):
    environment = full.environment("authorise")
    assert environment["HEADRACE_JWT_ISSUER"] == "https://login.example.com/"
    assert environment["HEADRACE_JWT_AUDIENCE"] == "headrace"


def test_a_stage_may_have_calls_signed_instead(signed: Cloud):
    assert not signed.of_type("AWS::ApiGatewayV2::Authorizer")
    assert "authorise" not in signed.functions
    routes = signed.of_type("AWS::ApiGatewayV2::Route").values()
    open_to_all = {r["RouteKey"] for r in routes if r["AuthorizationType"] != "AWS_IAM"}
    assert open_to_all == {"GET /v2/health/live", "GET /v2/health/ready", "OPTIONS /{proxy+}"}
    for function in ("predict", "manage", "submit", "redrive", "grant", "observe"):
        assert signed.environment(function)["HEADRACE_AUTH"] == "iam"


def test_no_environment_holds_a_secret(full: Cloud):
    wanted = re.compile(r"secret|token|password|credential|api_?key", re.IGNORECASE)
    for function in full.functions:
        environment = full.environment(function)
        assert not [name for name in environment if wanted.search(name)]
        assert not [v for v in environment.values() if re.search(r"[A-Za-z0-9+/=_-]{40,}", v)]

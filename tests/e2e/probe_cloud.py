"""A local cloud with functions made to be ill-treated, deployed from a template made here."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.probe_handlers import SOURCES

# Each with its type of authorisation and, of CUSTOM, its authoriser.
GUARDED = {
    "GET /guarded/{thing}": ("CUSTOM", "Doorkeeper"),
    "GET /remembered": ("CUSTOM", "Rememberer"),
    "GET /signed": ("AWS_IAM", None),
    "ANY /shut/{rest+}": ("CUSTOM", "Doorkeeper"),
}

ROUTES = (
    *GUARDED,
    "GET /aliased",
    "POST /probe",
    "POST /impatient",
    "GET /things/{thing}",
    "GET /things/special",
    "ANY /all/{rest+}",
    "OPTIONS /{proxy+}",
    "$default",
)


def write_assembly(folder: Path, *, delivered: Path) -> Path:
    """Write sources and a cloud assembly under *folder*; return the assembly's folder."""
    for name, source in SOURCES.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "handler.py").write_text(source)
    assembly = folder / "assembly"
    assembly.mkdir()
    delivered.mkdir()
    (folder / "ticks").mkdir()
    (assembly / "Probe.template.json").write_text(json.dumps(template(folder, delivered)))
    manifest = {
        "artifacts": {
            "Probe": {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": "Probe.template.json"},
            }
        }
    }
    (assembly / "manifest.json").write_text(json.dumps(manifest))
    return assembly


def template(folder: Path, delivered: Path) -> dict[str, Any]:
    """Return the template: an HTTP API over `probe`, a bucket and a queue over `consumer`."""
    resources: dict[str, Any] = {
        "Role": _resource(
            "AWS::IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": []}
        ),
        "Probe": _function(folder / "probe", memory_mb=256, timeout_s=2, variables={"MINE": "1"}),
        "Consumer": _function(
            folder / "consumer", memory_mb=128, timeout_s=2, variables={"DELIVERED": str(delivered)}
        ),
        "Doorman": _function(folder / "doorman", memory_mb=128, timeout_s=2, variables={}),
        "Ticker": _function(
            folder / "ticker",
            memory_mb=128,
            timeout_s=2,
            variables={"TICKS": str(folder / "ticks")},
        ),
        # Before the others, which are offered each event after it.
        "Clock": _resource(
            "AWS::Events::Rule",
            ScheduleExpression="rate(2 hours)",
            State="ENABLED",
            Targets=[{"Arn": _ref("TickerLive"), "Id": "Target0"}],
        ),
        "Once": _resource(
            "AWS::Lambda::EventInvokeConfig",
            FunctionName=_ref("Ticker"),
            Qualifier="live",
            MaximumRetryAttempts=0,
        ),
        **_aliased("Ticker"),
        **_aliased("Probe"),
        **_aliased("Consumer"),
        **_aliased("Doorman"),
        "Api": _resource(
            "AWS::ApiGatewayV2::Api",
            Name="probe",
            ProtocolType="HTTP",
            CorsConfiguration={
                "AllowOrigins": ["https://page.example"],
                "AllowMethods": ["GET", "POST"],
                "AllowHeaders": ["authorization"],
                "ExposeHeaders": ["x-count"],
                "MaxAge": 600,
            },
        ),
        "Doorkeeper": _authoriser(AuthorizerResultTtlInSeconds=0),
        "Rememberer": _authoriser(
            AuthorizerResultTtlInSeconds=300, IdentitySource=["$request.header.X-Who"]
        ),
        "Integration": _integration(),
        "Alias": _integration(IntegrationUri=_ref("ProbeLive")),
        "Impatience": _integration(TimeoutInMillis=500),
        "Stage": _resource("AWS::ApiGatewayV2::Stage", ApiId=_ref("Api"), StageName="$default"),
        **{f"Route{index}": _route(key) for index, key in enumerate(ROUTES)},
        "Bucket": _resource(
            "AWS::S3::Bucket",
            BucketName="watched",
            VersioningConfiguration={"Status": "Enabled"},
            NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        ),
        "Rule": _resource(
            "AWS::Events::Rule",
            EventPattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [_ref("Bucket")]},
                    "object": {"key": [{"wildcard": "in/*.csv"}]},
                },
            },
            State="ENABLED",
            Targets=[{"Arn": _arn("Queue"), "Id": "Target0"}],
        ),
        "Told": _resource(
            "AWS::Events::Rule",
            EventPattern={
                "source": ["headrace"],
                "detail-type": ["Job Ended"],
                "detail": {"webhook": [{"exists": True}]},
            },
            State="ENABLED",
            Targets=[{"Arn": _arn("Queue"), "Id": "Target0"}],
        ),
        "Topic": _resource("AWS::SNS::Topic", TopicName="notices"),
        "Subscription": _resource(
            "AWS::SNS::Subscription",
            TopicArn=_ref("Topic"),
            Protocol="sqs",
            Endpoint=_arn("Queue"),
            RawMessageDelivery=True,
        ),
        "QueuePolicy": _resource(
            "AWS::SQS::QueuePolicy",
            Queues=[_ref("Queue")],
            PolicyDocument={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "sns.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": _arn("Queue"),
                        "Condition": {"ArnEquals": {"aws:SourceArn": _ref("Topic")}},
                    }
                ],
            },
        ),
        "DeadLetters": _resource("AWS::SQS::Queue", QueueName="dead"),
        "Queue": _resource(
            "AWS::SQS::Queue",
            QueueName="work",
            VisibilityTimeout=1,
            RedrivePolicy={"deadLetterTargetArn": _arn("DeadLetters"), "maxReceiveCount": 2},
        ),
        "Mapping": _resource(
            "AWS::Lambda::EventSourceMapping",
            FunctionName=_ref("ConsumerLive"),
            EventSourceArn=_arn("Queue"),
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig={"MaximumConcurrency": 2},
        ),
    }
    return {"Resources": resources}


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def _arn(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "Arn"]}


def _function(
    source: Path, *, memory_mb: int, timeout_s: int, variables: dict[str, str]
) -> dict[str, Any]:
    made = _resource(
        "AWS::Lambda::Function",
        Code={"ZipFile": "pass"},
        Handler="handler.lambda_handler",
        Runtime="python3.13",
        Role=_arn("Role"),
        MemorySize=memory_mb,
        Timeout=timeout_s,
        Environment={"Variables": variables},
    )
    return made | {"Metadata": {"headrace:source": str(source)}}


def _aliased(function: str) -> dict[str, Any]:
    return {
        f"{function}Version": _resource("AWS::Lambda::Version", FunctionName=_ref(function)),
        f"{function}Live": _resource(
            "AWS::Lambda::Alias",
            FunctionName=_ref(function),
            FunctionVersion={"Fn::GetAtt": [f"{function}Version", "Version"]},
            Name="live",
        ),
    }


def _authoriser(**properties: Any) -> dict[str, Any]:
    path = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
    return _resource(
        "AWS::ApiGatewayV2::Authorizer",
        ApiId=_ref("Api"),
        Name="doorman",
        AuthorizerType="REQUEST",
        AuthorizerUri={"Fn::Join": ["", [path, _ref("DoormanLive"), "/invocations"]]},
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
        **properties,
    )


def _integration(**properties: Any) -> dict[str, Any]:
    return _resource(
        "AWS::ApiGatewayV2::Integration",
        ApiId=_ref("Api"),
        IntegrationType="AWS_PROXY",
        PayloadFormatVersion="2.0",
        **{"IntegrationUri": _arn("Probe")} | properties,
    )


def _route(key: str) -> dict[str, Any]:
    integrations = {"POST /impatient": "Impatience", "GET /aliased": "Alias"}
    path = ["integrations/", _ref(integrations.get(key, "Integration"))]
    kind, authoriser = GUARDED.get(key, ("NONE", None))
    return _resource(
        "AWS::ApiGatewayV2::Route",
        ApiId=_ref("Api"),
        RouteKey=key,
        Target={"Fn::Join": ["", path]},
        AuthorizationType=kind,
        **({"AuthorizerId": _ref(authoriser)} if authoriser else {}),
    )

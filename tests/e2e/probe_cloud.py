"""A local cloud with functions made to be ill-treated, deployed from a template made here."""

import json
from pathlib import Path
from typing import Any

HANDLER = """
import importlib.util, json, os, subprocess, sys, tempfile, time

STARTED = time.time()


def lambda_handler(event, context):
    if not event["routeKey"].startswith("POST "):
        return event
    order = json.loads(event["body"])
    return ORDERS[order["do"]](context, order)


def environment(context, order):
    return {
        "pid": os.getpid(),
        "environ": dict(os.environ),
        "path": sys.path,
        "tmp": tempfile.gettempdir(),
        "left_ms": context.get_remaining_time_in_millis(),
        "memory_mb": context.memory_limit_in_mb,
    }


def sleep(context, order):
    time.sleep(order["s"])
    return {"pid": os.getpid()}


def hold(context, order):
    held = b"x" * (order["mb"] << 20)
    time.sleep(0.5)
    return {"held": len(held)}


def child(context, order):
    started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return {"pid": os.getpid(), "child": started.pid}


def respond(context, order):
    return order["response"]


def imports(context, order):
    return {"imported": importlib.util.find_spec(order["module"]) is not None}


def fail(context, order):
    raise ValueError("as ordered")


def big(context, order):
    return {"statusCode": 200, "body": "x" * order["bytes"]}


def die(context, order):
    os.kill(os.getpid(), order["signal"])
    time.sleep(5)


DOABLE = (environment, sleep, hold, child, respond, imports, fail, big, die)
ORDERS = {function.__name__: function for function in DOABLE}
"""

# Counts deliveries in files; a body says how a message is to be treated.
CONSUMER = """
import json, os, uuid
from pathlib import Path

DELIVERED = Path(os.environ["DELIVERED"])


def lambda_handler(event, context):
    failed = []
    for record in event["Records"]:
        file = DELIVERED / f"{uuid.uuid4()}.part"
        file.write_text(json.dumps(record))
        file.rename(file.with_suffix(".json"))
        if record["body"] == "poison":
            failed.append({"itemIdentifier": record["messageId"]})
        if record["body"] == "raise":
            raise ValueError("the whole batch")
    return {"batchItemFailures": failed}
"""

ROUTES = (
    "POST /probe",
    "POST /impatient",
    "GET /things/{thing}",
    "GET /things/special",
    "ANY /all/{rest+}",
    "$default",
)


def write_assembly(folder: Path, *, delivered: Path) -> Path:
    """Write sources and a cloud assembly under *folder*; return the assembly's folder."""
    for name, source in (("probe", HANDLER), ("consumer", CONSUMER)):
        (folder / name).mkdir(parents=True)
        (folder / name / "handler.py").write_text(source)
    assembly = folder / "assembly"
    assembly.mkdir()
    delivered.mkdir()
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
        "Api": _resource("AWS::ApiGatewayV2::Api", Name="probe", ProtocolType="HTTP"),
        "Integration": _integration(),
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
        "DeadLetters": _resource("AWS::SQS::Queue", QueueName="dead"),
        "Queue": _resource(
            "AWS::SQS::Queue",
            QueueName="work",
            VisibilityTimeout=1,
            RedrivePolicy={"deadLetterTargetArn": _arn("DeadLetters"), "maxReceiveCount": 2},
        ),
        "Mapping": _resource(
            "AWS::Lambda::EventSourceMapping",
            FunctionName=_ref("Consumer"),
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


def _integration(**properties: Any) -> dict[str, Any]:
    return _resource(
        "AWS::ApiGatewayV2::Integration",
        ApiId=_ref("Api"),
        IntegrationType="AWS_PROXY",
        IntegrationUri=_arn("Probe"),
        PayloadFormatVersion="2.0",
        **properties,
    )


def _route(key: str) -> dict[str, Any]:
    integration = "Impatience" if "impatient" in key else "Integration"
    target = {"Fn::Join": ["", ["integrations/", _ref(integration)]]}
    return _resource("AWS::ApiGatewayV2::Route", ApiId=_ref("Api"), RouteKey=key, Target=target)

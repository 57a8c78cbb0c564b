"""The service deployed by the CDK's own command line, from bootstrap to destroy, into moto."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
import httpx
import pytest

from infra import cdk_cli
from infra.local.assembly import Stack, read_stacks
from tests import onnx_models
from tests.conftest import CREDENTIALS
from tests.e2e.cdk_runs import cdk, sources_in, synthesised
from tests.e2e.conftest import ROOT, eventually
from tests.e2e.deployed_cloud import DeployedCloud

pytestmark = pytest.mark.skipif(
    not cdk_cli.FOLDER.exists(), reason="npm's registry was out of reach of `make`"
)
STAGE = "prod"
STATE, SERVICE = "HeadraceProdState", "HeadraceProdService"
CSV = b"a,b,c,d\n1,2,3,4\n0,0,0,1\n"
RESULTS = b"a,b,c,d,y_0,y_1,y_2\n1,2,3,4,20.0,11.0,2.0\n0,0,0,1,3.0,3.0,3.0\n"
# What a change to a handler looks like from outside: a header.
CHANGE = """

_answer = lambda_handler


def lambda_handler(event, context):
    answer = _answer(event, context)
    return {**answer, "headers": {**answer.get("headers", {}), "x-code": "second"}}
"""
# moto loses the outputs of change sets, and the parameters of a stack that has none.
FOR_MOTO = ("--method=direct", "--no-previous-parameters")
UNASKED = ("--require-approval=never", "--no-notices", "--ci")


@dataclass
class Story:
    """What came of it, from beginning to end."""

    answer: Any = None
    results: bytes = b""
    code_before: str | None = None
    code_after: str | None = None
    meanwhile: list[int] = field(default_factory=list)
    versions: tuple[str, str] = ("", "")
    kept: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    overlooked: list[str] = field(default_factory=list)


def _first_key(table: str) -> str:
    command = [sys.executable, "-m", "infra.first_key", "--table", table]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _results(s3: Any, bucket: str) -> bytes:
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    keys = {entry["Key"].rsplit("/", 1)[-1]: entry["Key"] for entry in listed}
    if "manifest.json" not in keys:
        return b""
    body: bytes = s3.get_object(Bucket=bucket, Key=keys["results.csv"])["Body"].read()
    return body


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Bootstrap, deploy, use, deploy a change under calls, destroy."""
    folder = tmp_path_factory.mktemp("cdk")
    first, second = sources_in(folder / "first"), sources_in(folder / "second")
    with (second / "functions" / "predict" / "handler.py").open("a") as handler:
        handler.write(CHANGE)
    with ThreadPoolExecutor(2) as both, pytest.MonkeyPatch.context() as patch:
        assemblies = both.map(synthesised, (first, second), (STAGE, STAGE))
        cloud = DeployedCloud(folder / "cloud", CREDENTIALS | {"PATH": os.environ["PATH"]})
        for name, value in cloud.aws.items():
            patch.setenv(name, value)
        told = Story()
        try:
            _tell(told, cloud, folder, *assemblies)
        finally:
            cloud.stop()
    return told


def _tell(told: Story, cloud: DeployedCloud, folder: Path, old: Path, new: Path) -> None:
    def run(*arguments: str) -> None:
        cdk(cloud.aws, folder, *arguments)

    outputs = folder / "outputs.json"
    run("bootstrap", "aws://123456789012/eu-west-1", "--no-notices", "--app", "")
    run("deploy", "--all", "--app", str(old), "--outputs-file", str(outputs), *FOR_MOTO, *UNASKED)
    session = boto3.Session()
    told.overlooked = _overlooked(read_stacks(old), session)
    cloud.run(read_stacks(old), session)
    state = json.loads(outputs.read_text())[STATE]
    caller = httpx.Client(
        base_url=cloud.front.url,
        headers={"x-api-key": _first_key(state["AccessTable"])},
        timeout=30,
    )
    with caller:
        _use(told, caller, session.client("s3"), state)
        predict = next(name for name in cloud.versions if "Predict" in name)
        before = cloud.versions[predict]
        with _calling(caller, told.meanwhile):
            run("deploy", "--all", "--app", str(new), *FOR_MOTO, *UNASKED)
            eventually(lambda: _code(caller) == "second", within_s=10, what="the new code answers")
        told.code_after = _code(caller)
        told.versions = before, cloud.versions[predict]
    cloud.rest()
    run("destroy", "--all", "--app", str(new), "--force", "--no-notices")
    told.kept, told.left = _left(session, state)


def _overlooked(stacks: list[Stack], session: boto3.Session) -> list[str]:
    """Return the resources of templates that do not stand: of types that moto does not know."""
    formation = session.client("cloudformation")
    overlooked = []
    for stack in stacks:
        listed = formation.describe_stack_resources(StackName=stack.name)["StackResources"]
        standing = {one.get("LogicalResourceId") for one in listed}  # unknown types have none
        overlooked += [
            f"{name}: {resource['Type']}"
            for name, resource in stack.template["Resources"].items()
            if name not in standing
        ]
    return overlooked


def _use(told: Story, caller: httpx.Client, s3: Any, state: dict[str, str]) -> None:
    s3.put_object(
        Bucket=state["ModelsBucket"], Key="models/rows/linear.onnx", Body=onnx_models.linear()
    )
    eventually(
        lambda: caller.get("/v2/models/rows/ready").status_code == 200,
        within_s=60,
        what="the model is ready",
    )
    tensor = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}
    answer = caller.post("/v2/models/rows/infer", json={"inputs": [tensor]})
    told.answer = answer.json()["outputs"][0]["data"]
    told.code_before = answer.headers.get("x-code")
    s3.put_object(Bucket=state["InboxBucket"], Key="inbox/rows/some.csv", Body=CSV)
    told.results = eventually(
        lambda: _results(s3, state["ResultsBucket"]), within_s=30, what="the results are there"
    )


def _code(caller: httpx.Client) -> str | None:
    return caller.get("/v2/models/rows").headers.get("x-code")


class _calling:  # noqa: N801 - reads as a verb where it is used
    """Call all the time, and note what comes of it."""

    def __init__(self, caller: httpx.Client, statuses: list[int]) -> None:
        self._caller, self._statuses, self._done = caller, statuses, Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(0.01):
            self._statuses.append(self._caller.get("/v2/models/rows").status_code)


def _left(session: boto3.Session, state: dict[str, str]) -> tuple[set[str], set[str]]:
    """Return what keeps data and is there still, by its output; and the rest that is there."""
    buckets = {one["Name"] for one in session.client("s3").list_buckets()["Buckets"]}
    tables = set(session.client("dynamodb").list_tables()["TableNames"])
    keeping = ("ModelsBucket", "InboxBucket", "ResultsBucket", "RegistryTable", "JobsTable")
    kept = {name for name in (*keeping, "AccessTable") if state[name] in buckets | tables}
    functions = session.client("lambda").list_functions()["Functions"]
    queues = session.client("sqs").list_queues().get("QueueUrls", [])
    apis = session.client("apigatewayv2").get_apis()["Items"]
    alarms = session.client("cloudwatch").describe_alarms()["MetricAlarms"]
    names = {one["FunctionName"] for one in functions} | {one["Name"] for one in apis}
    return kept, names | set(queues) | {one["AlarmName"] for one in alarms}


def test_every_resource_of_the_templates_stands(story: Story) -> None:
    assert story.overlooked == []


def test_a_deployed_model_answers_and_a_dropped_file_comes_back(story: Story) -> None:
    assert story.answer == [20.0, 11.0, 2.0]
    assert story.results == RESULTS


def test_a_changed_handler_is_a_new_version_and_fails_no_call(story: Story) -> None:
    assert (story.code_before, story.code_after) == (None, "second")
    assert story.versions == ("1", "2")
    assert len(story.meanwhile) > 20
    assert set(story.meanwhile) == {200}


def test_destroy_leaves_what_keeps_data_and_nothing_else(story: Story) -> None:
    assert story.kept == {
        "ModelsBucket",
        "InboxBucket",
        "ResultsBucket",
        "RegistryTable",
        "JobsTable",
        "AccessTable",
    }
    assert story.left == set()

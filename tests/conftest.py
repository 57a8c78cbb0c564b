"""The world that tests share: AWS in this process, sample events, published models."""

import importlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore.loaders
import hypothesis
import moto  # before any boto3 session is made
import pytest
from moto.server import ThreadedMotoServer

from headrace_runtime import settings, work_settings
from headrace_runtime.access.policy import Action, Policy
from headrace_runtime.aws.policy_book import PolicyBook
from headrace_runtime.aws.registration import Registration
from headrace_runtime.edge.authoriser import known
from headrace_runtime.inference.model_process import ModelProcess
from headrace_runtime.model.manifest import Manifest
from tests import worlds

# `make test` tries the same examples each time; `make test-long` searches for new ones.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.register_profile("searching", deadline=None)
hypothesis.settings.load_profile("steady")

ROOT = Path(__file__).parent.parent
REGION = "eu-west-1"
CALLER_OF_ALL = "key:root"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}

SHARD_BYTES = 64 << 20
NO_GPU: dict[str, Any] = {
    "gpu_instance_type": "",
    "gpu_max_instances": 0,
    "gpu_cpu_limit_s": 3600.0,
    "gpu_monthly_usd": 0.0,
}
BATCH = work_settings.BatchSettings(
    inbox_bucket="inbox",
    results_bucket="results",
    models_bucket="models",
    registry_table="registry",
    jobs_table="jobs",
    queue_url="",
    hand_off_queue_url="",
    shard_bytes=SHARD_BYTES,
    batch_rows=4096,
    models_memory_mb=512,
    threads=1,
)
HEAVY = work_settings.HeavySettings(
    inbox_bucket="inbox",
    results_bucket="results",
    staging_bucket="staging",
    registry_table="registry",
    jobs_table="jobs",
    hand_off_queue_url="",
    collect_queue_url="",
    shards_queue_url="",
    parquet_queue_url="",
    name_prefix="hr-test",
    gpu_instance_types="ml.g5.xlarge",
    gpu_max_instances=2,
    gpu_on_failure="cpu",
    endpoint_wait_s=1800,
    invocation_timeout_s=900,
    request_ttl_s=21_600,
)

SETTINGS: dict[str, settings.Settings] = {
    "predict": settings.PredictSettings(
        models_bucket="models",
        registry_table="registry",
        alias_ttl_s=5.0,
        models_memory_mb=512,
        threads=1,
        access_table="access",
        policies_ttl_s=0.0,
        auth="keys",
        warm_models="",
        gpu=1,
    ),
    "manage": settings.ManageSettings(
        models_bucket="models",
        registry_table="registry",
        max_model_bytes=512 << 20,
        access_table="access",
        policies_ttl_s=0.0,
        auth="keys",
    ),
    "submit": settings.SubmitSettings(
        inbox_bucket="inbox",
        results_bucket="results",
        registry_table="registry",
        jobs_table="jobs",
        shards_queue_url="",
        parquet_queue_url="",
        collect_queue_url="",
        shard_bytes=SHARD_BYTES,
        max_concurrency=10,
        batch_memory_mb=1769,
        **NO_GPU,
        access_table="access",
        policies_ttl_s=0.0,
        auth="keys",
    ),
    "authorise": settings.AuthoriseSettings(
        access_table="access", jwt_issuer="", jwt_audience="headrace"
    ),
    "grant": settings.GrantSettings(access_table="access", auth="keys"),
    "observe": settings.ObserveSettings(access_table="access", policies_ttl_s=0.0, auth="keys"),
    "register": work_settings.RegisterSettings(
        models_bucket="models",
        registry_table="registry",
        max_model_bytes=512 << 20,
        trial_timeout_s=20,
        trial_memory_mb=2048,
    ),
    "intake": work_settings.IntakeSettings(
        inbox_bucket="inbox",
        results_bucket="results",
        registry_table="registry",
        jobs_table="jobs",
        files_queue_url="",
        shards_queue_url="",
        parquet_queue_url="",
        hand_off_queue_url="",
        shard_bytes=SHARD_BYTES,
        max_concurrency=10,
        batch_memory_mb=1769,
        **NO_GPU,
    ),
    "batch": BATCH,
    "batch_parquet": BATCH,
    "hand_off": HEAVY,
    "collect": HEAVY,
    "sweep": work_settings.SweepSettings(
        inbox_bucket="inbox",
        results_bucket="results",
        jobs_table="jobs",
        files_queue_url="",
        shards_queue_url="",
        parquet_queue_url="",
        hand_off_queue_url="",
        collect_queue_url="",
        patience_s=600,
    ),
    "provision": work_settings.ProvisionSettings(
        models_bucket="models",
        staging_bucket="staging",
        registry_table="registry",
        jobs_table="jobs",
        role_arn="arn:aws:iam::123456789012:role/sagemaker",
        image="763104351884.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-tritonserver:26.05-py3",
        success_topic="arn:aws:sns:eu-west-1:123456789012:succeeded",
        failure_topic="arn:aws:sns:eu-west-1:123456789012:failed",
        name_prefix="hr-test",
        gpu_instance_types="ml.g4dn.xlarge",  # moto knows none of g5 and g6, and no pools
        gpu_max_instances=2,
        gpu_monthly_usd=100.0,
        alarm_topic="arn:aws:sns:eu-west-1:123456789012:alarms",
    ),
    "notify": work_settings.NotifySettings(jobs_table="jobs", private_addresses=0),
    "redrive": settings.RedriveSettings(
        queues="", access_table="access", policies_ttl_s=0.0, auth="keys"
    ),
}


@pytest.fixture(scope="session", autouse=True)
def aws_models_read_once() -> Iterator[None]:
    """Sessions share what describes AWS's services: each of a thousand would read it again."""
    loader = botocore.loaders.Loader()

    def shared(*_: Any) -> botocore.loaders.Loader:
        # Each session adds boto3's own path once more.
        loader.search_paths[:] = dict.fromkeys(loader.search_paths)
        return loader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", shared)
        yield


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever holds real credentials."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def aws(credentials: None) -> Iterator[None]:
    """Empty buckets `models inbox results` (versioned), tables `registry jobs access`.

    Jobs have the indexes that they have in CDK. One policy stands: `caller_of_all` may do
    everything.
    """
    with moto.mock_aws():
        worlds.make()
        PolicyBook("access", dynamodb=worlds.client("dynamodb")).put(
            Policy("all", (CALLER_OF_ALL,), frozenset(Action), ("*",))
        )
        yield


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """URL of a server before the `aws` world: for clients that are not boto3's."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every call otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def registration(aws: None) -> Registration:
    """The registry over the `aws` world's table."""
    return Registration("registry", dynamodb=worlds.client("dynamodb"))


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """Load `events/<function>.<case>.json`, with top-level members replaced by keyword.

    Calls of the API come from *subject*, by default from one who may do everything.
    """

    def load(name: str, subject: str = CALLER_OF_ALL, **members: Any) -> dict[str, Any]:
        loaded = json.loads((ROOT / "events" / f"{name}.json").read_text()) | members
        if "http" in loaded.get("requestContext", {}):
            context = known(subject, [subject])["context"]
            loaded["requestContext"].setdefault("authorizer", {"lambda": context})
        return loaded

    return load


@pytest.fixture
def function(
    aws: None, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Callable[..., ModuleType]]:
    """Import a handler afresh, as a cold start does, with its settings in the environment."""
    with ExitStack() as stack:
        yield partial(_started, monkeypatch, request, stack)


def _started(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    stack: ExitStack,
    name: str,
    **changed: Any,
) -> ModuleType:
    values = SETTINGS[name].to_env() | {
        f"HEADRACE_{key.upper()}": str(value) for key, value in changed.items()
    }
    for variable, value in values.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", name)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", name)
    if name in ("predict", "authorise"):  # call AWS without boto3, past moto in the process
        for service in ("DYNAMODB", "S3"):
            url = request.getfixturevalue("aws_endpoint")
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
    handler = importlib.reload(importlib.import_module(f"functions.{name}.handler"))
    if isinstance(getattr(handler, "models", None), ModelProcess):
        stack.callback(handler.models.close)
    return handler


@pytest.fixture
def publish(registration: Registration) -> Callable[..., Manifest]:
    """Register model bytes as `register` would once they passed, with a known signature."""
    return worlds.publish


@pytest.fixture
def context() -> Any:
    """A Lambda context with a minute left."""

    class Context:
        function_name = "test"
        memory_limit_in_mb = 1769
        invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:test"
        aws_request_id = "request-1"

        def get_remaining_time_in_millis(self) -> int:
            return 60_000

    return Context()

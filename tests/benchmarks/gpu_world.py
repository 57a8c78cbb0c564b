"""AWS for the hand-off to SageMaker: moto as the local cloud runs it, and SageMaker's player.

moto has a process of its own, the player with its queue are threads of this one: neither counts.
The model is served by Triton, in processes of its own. Queues are fed by S3's, SageMaker's and
EventBridge's messages, as the stack wires them.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from headrace_runtime.aws.provisioning import provisioning_of
from headrace_runtime.aws.registry import Registry
from headrace_runtime.batch.clock import Slice
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.work_settings import ProvisionSettings
from infra.local.child_processes import ChildProcesses
from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.play import Play
from infra.local.sagemaker.player import SageMakerPlayer
from infra.local.triton.model_server import ModelServer, start_model_server
from tests import worlds
from tests.benchmarks.gpu_function import Function
from tests.conftest import CREDENTIALS, REGION, SETTINGS
from tests.integration.sagemaker_world import moto_process

_QUEUES = ("files", "shards", "parquet", "hand_off", "collect")
_COLLECT = f"arn:aws:sqs:{REGION}:123456789012:collect"
_INSTANCE = "ml.g5.xlarge"
_GPU = {
    "gpu_instance_type": _INSTANCE,
    "gpu_max_instances": 1,
    "gpu_cpu_limit_s": 3600.0,
    "gpu_monthly_usd": 100.0,
}
# No instance takes time to come, and the one that has come stays.
_PLAY = Play(wake_s=0.0, idle_s=1e5, loads_first=False)
_PATIENCE_S = 60.0


class GpuWorld:
    """Buckets, tables, queues and topics, and endpoints that answer.

    Attributes:
        server: Triton, once an endpoint has an instance.
    """

    def __init__(self, folder: Path, moto_url: str) -> None:
        self._sqs, self._sns = boto3.client("sqs"), boto3.client("sns")
        worlds.make()
        self._urls = {name: self._sqs.create_queue(QueueName=name)["QueueUrl"] for name in _QUEUES}
        self._topics = {name: self._topic(name) for name in ("success_topic", "failure_topic")}
        events = boto3.client("events")
        events.put_rule(Name="ended", EventPattern=json.dumps({"detail-type": ["Job Ended"]}))
        events.put_targets(Rule="ended", Targets=[{"Id": "collect", "Arn": _COLLECT}])
        self.server: ModelServer | None = None
        self._children = ChildProcesses(remove=[])
        self._player = SageMakerPlayer(
            self._serve, play=_PLAY, children=self._children, scratch=folder, logs=folder
        )
        self._player.start(CloudClients(moto_url, REGION))

    def close(self) -> None:
        """End Triton, and who plays SageMaker."""
        self._player.stop()
        self._children.close()

    def open_endpoint(self, manifest: Manifest) -> None:
        """Have `provision` make what answers a version.

        Raises:
            RuntimeError: there is none after a minute.
        """
        settings = {
            **SETTINGS["provision"].__dict__,
            **self._topics,
            "staging_bucket": "staging",
            "gpu_instance_types": _INSTANCE,
            "gpu_max_instances": 1,
        }
        provisioning = provisioning_of(
            ProvisionSettings(**settings),
            dynamodb=boto3.client("dynamodb"),
            sagemaker=boto3.client("sagemaker"),
            autoscaling=boto3.client("application-autoscaling"),
            cloudwatch=boto3.client("cloudwatch"),
        )
        registry = Registry("registry", dynamodb=boto3.client("dynamodb"))
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            provisioning.run(datetime.now(UTC), Slice(lambda: 900.0), _raise)
            there = registry.endpoints(manifest.model, manifest.version)
            if there and there.asynchronous and there.asynchronous.ready:
                return
            time.sleep(0.1)
        raise RuntimeError("no endpoint came up")

    def messages(self, queue: str) -> Iterator[str]:
        """Yield what comes in a queue, one by one as the stack has it, until nothing does."""
        wanted = {"QueueUrl": self._urls[queue], "MaxNumberOfMessages": 1, "WaitTimeSeconds": 1}
        while messages := self._sqs.receive_message(**wanted).get("Messages"):
            handle = messages[0]["ReceiptHandle"]
            self._sqs.delete_message(QueueUrl=self._urls[queue], ReceiptHandle=handle)
            yield messages[0]["Body"]

    def function(self, name: str) -> AbstractContextManager[Function]:
        """Return a context that has a function running."""
        urls = {f"{queue}_queue_url": url for queue, url in self._urls.items()}
        runtime = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self._player.url}
        return Function.running(name, {**_GPU, **urls}, runtime)

    def _topic(self, name: str) -> str:
        topic = str(self._sns.create_topic(Name=name)["TopicArn"])
        raw = {"RawMessageDelivery": "true"}
        self._sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=_COLLECT, Attributes=raw)
        return topic

    def _serve(self, archive: Path, **given: Any) -> ModelServer:
        self.server = start_model_server(archive, also_http=True, **given)
        return self.server


@contextmanager
def gpu_world(folder: Path) -> Iterator[GpuWorld]:
    """Give the world while the context lasts; clients that boto3 makes from now on are of it."""
    os.environ |= CREDENTIALS
    with moto_process() as url:
        os.environ["AWS_ENDPOINT_URL"] = url
        world = GpuWorld(folder, url)
        try:
            yield world
        finally:
            world.close()


def _raise(error: Exception, *_: object) -> None:
    raise error

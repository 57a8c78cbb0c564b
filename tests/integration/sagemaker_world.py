"""SageMaker as the local cloud plays it, before moto, with containers that do as they are told."""

import io
import os
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3

from infra.local.child_processes import ChildProcesses
from infra.local.sagemaker.cloud_clients import CloudClients
from infra.local.sagemaker.play import Play
from infra.local.sagemaker.player import SageMakerPlayer
from tests.conftest import ROOT

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/sagemaker"


class Container(ThreadingHTTPServer):
    """Answers a body backwards, unless it is an order: `fail 500`, `sleep 2`, `chunked`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.environment = environment
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0
        self.alive = True
        self.peers: list[socket.socket] = []
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted = super().get_request()
        self.peers.append(accepted[0])
        return accepted

    def handle_error(self, *_: Any) -> None:
        pass

    def stop(self) -> None:
        if self.alive:
            self.alive = False
            self.shutdown()
            for peer in self.peers:  # as when its process is killed
                with suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Container
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        container = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        container.headers.append({name.lower(): value for name, value in self.headers.items()})
        container.bodies.append(body)
        container.at_once += 1
        container.most_at_once = max(container.most_at_once, container.at_once)
        status, answer = self._do(body)
        container.at_once -= 1
        self.send_response(status)
        self.send_header("Content-Type", "application/x-backwards;n=1")
        if body == b"chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"2\r\nok\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _do(self, body: bytes) -> tuple[int, bytes]:
        order, _, number = body[:32].partition(b" ")
        if order == b"sleep":
            time.sleep(float(number))
        if order == b"fail":
            return int(number), b'{"error":"as told"}'
        return 200, body[::-1]

    def log_message(self, *_: Any) -> None:
        pass


class World:
    """moto's control plane with a player before it, and boto3's clients of both."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: dict[str, Any] = {}
        self.sagemaker, self.s3, self.sqs, self.sns = map(
            self.client, ("sagemaker", "s3", "sqs", "sns")
        )

    def begin(self, folder: Path) -> None:
        """Begin anew, with nothing but an empty bucket `work`."""
        with urllib.request.urlopen(f"{self._url}/moto-api/reset", data=b"") as answer:
            assert answer.status == 200
        self._folder = folder
        self.containers: list[Container] = []
        region = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket="pool", CreateBucketConfiguration=region)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service, endpoint_url=self._url, region_name=REGION
            )
        return self._clients[service]

    @contextmanager
    def playing(self, **play: Any) -> Iterator["World"]:
        """Run a player, by default one with no patience to spend."""
        children = ChildProcesses(remove=[])
        settings = {"wake_s": 0.05, "idle_s": 0.4, "loads_first": False} | play
        player = SageMakerPlayer(
            self._start,
            play=Play(**settings),
            children=children,
            scratch=self._folder,
            logs=self._folder,
        )
        player.start(CloudClients(self._url, REGION))
        self.runtime = boto3.client(
            "sagemaker-runtime", endpoint_url=player.url, region_name=REGION
        )
        self.runtime_url = player.url
        try:
            yield self
        finally:
            player.stop()
            children.close()

    def _start(self, archive: Path, *, environment: Any, **_: Any) -> Container:
        with tarfile.open(archive) as members:
            if "broken" in members.getnames():
                raise RuntimeError("failed to load 'model'")
        self.containers.append(Container(dict(environment)))
        return self.containers[-1]

    @property
    def running(self) -> int:
        return sum(container.alive for container in self.containers)

    @property
    def bodies(self) -> list[bytes]:
        return [body for container in self.containers for body in container.bodies]

    def make(self, kind: str, name: str, **members: Any) -> None:
        """Create something of SageMaker's, named."""
        getattr(self.sagemaker, f"create_{kind}")(
            **{f"{''.join(word.title() for word in kind.split('_'))}Name": name}, **members
        )

    def model(
        self, name: str, *, member: str = "model/config.pbtxt", archive: bytes | None = None
    ) -> None:
        self.put(f"{name}.tar.gz", _archive(member) if archive is None else archive)
        container = {
            "Image": "triton",
            "ModelDataUrl": f"s3://pool/{name}.tar.gz",
            "Environment": {"SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": "model"},
        }
        self.make("model", name, PrimaryContainer=container, ExecutionRoleArn=ROLE)

    def endpoint(
        self,
        name: str,
        *,
        asynchronous: bool = True,
        concurrent: int = 2,
        status: str = "InService",
        wakes: bool = True,
        most: int = 2,
        **model: Any,
    ) -> None:
        """Create a model, a config and an endpoint, all of one name, that scales from zero."""
        self.model(name, **model)
        self.config(name, name, concurrent=concurrent, asynchronous=asynchronous)
        self.make("endpoint", name, EndpointConfigName=name)
        self.eventually(lambda: self.status(name) == status, within_s=20)
        if asynchronous and status == "InService":
            self.scaling(name, wakes=wakes, most=most)

    def config(
        self, name: str, model: str, *, concurrent: int = 2, asynchronous: bool = True
    ) -> None:
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InitialInstanceCount": 1,
            "InstancePools": [
                {"InstanceType": "ml.g6.xlarge", "Priority": 1},
                {"InstanceType": "ml.g5.xlarge", "Priority": 2},
            ],
        }
        config = {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": concurrent},
            "OutputConfig": {
                "S3OutputPath": "s3://pool/out/",
                "S3FailurePath": "s3://pool/failed/",
                "NotificationConfig": {
                    "SuccessTopic": self.topic("succeeded"),
                    "ErrorTopic": self.topic("failed"),
                },
            },
        }
        more = {"AsyncInferenceConfig": config} if asynchronous else {}
        self.make("endpoint_config", name, ProductionVariants=[variant], **more)

    def scaling(self, name: str, *, wakes: bool, most: int) -> None:
        """Let an endpoint scale, as `provision` does: from 0, tracking its backlog."""
        scaling = self.client("application-autoscaling")
        of = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{name}/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
        scaling.register_scalable_target(**of, MinCapacity=0, MaxCapacity=most)
        scaling.put_scaling_policy(
            **of,
            PolicyName="backlog",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 4.0,
                "CustomizedMetricSpecification": {
                    "MetricName": "ApproximateBacklogSizePerInstance",
                    "Namespace": "AWS/SageMaker",
                    "Dimensions": [{"Name": "EndpointName", "Value": name}],
                    "Statistic": "Average",
                },
            },
        )
        if wakes:
            policy = scaling.put_scaling_policy(
                **of,
                PolicyName="wake",
                PolicyType="StepScaling",
                StepScalingPolicyConfiguration={
                    "AdjustmentType": "ChangeInCapacity",
                    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
                },
            )
            self.client("cloudwatch").put_metric_alarm(
                AlarmName=f"{name}-wake",
                Namespace="AWS/SageMaker",
                MetricName="HasBacklogWithoutCapacity",
                Dimensions=[{"Name": "EndpointName", "Value": name}],
                Statistic="Average",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1.0,
                ComparisonOperator="GreaterThanOrEqualToThreshold",
                AlarmActions=[policy["PolicyARN"]],
            )

    def topic(self, name: str) -> str:
        return str(self.sns.create_topic(Name=name)["TopicArn"])

    def queue(self, name: str, *topics: str) -> str:
        """Make a queue that gets what topics tell, as it was told."""
        url = str(self.sqs.create_queue(QueueName=name)["QueueUrl"])
        for topic in topics:
            self.sns.subscribe(
                TopicArn=self.topic(topic),
                Protocol="sqs",
                Endpoint=f"arn:aws:sqs:{REGION}:123456789012:{name}",
                Attributes={"RawMessageDelivery": "true"},
            )
        return url

    def put(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket="pool", Key=key, Body=body)
        return f"s3://pool/{key}"

    def read(self, location: str) -> bytes | None:
        """Return an object's bytes, once it is there."""
        key = location.removeprefix("s3://pool/")
        listed = self.s3.list_objects_v2(Bucket="pool", Prefix=key).get("Contents", [])
        if key not in [entry["Key"] for entry in listed]:
            return None
        return bytes(self.s3.get_object(Bucket="pool", Key=key)["Body"].read())

    def status(self, endpoint: str) -> str:
        return str(self.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"])

    def instances(self, endpoint: str) -> int:
        described = self.sagemaker.describe_endpoint(EndpointName=endpoint)
        return int(described["ProductionVariants"][0]["CurrentInstanceCount"])

    @staticmethod
    def eventually(holds: Callable[[], Any], within_s: float = 8) -> Any:
        end = time.monotonic() + within_s
        while not (found := holds()):
            assert time.monotonic() < end, "not in time"
            time.sleep(0.02)
        return found


def _archive(member: str) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as members:
        members.addfile(tarfile.TarInfo(member))
    return archive.getvalue()


@contextmanager
def moto_process() -> Iterator[str]:
    """Run moto as the local cloud does; its address."""
    credentials = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.moto_process", "http://127.0.0.1:1"],
        env={"PATH": os.environ["PATH"], **credentials},
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()

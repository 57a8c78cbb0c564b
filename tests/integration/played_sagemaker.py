"""SageMaker as its API and its notices show it, played in this process, one step at a time.

Requests wait until a test has them answered: in what order, how often, with what luck is for the
test to say.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import onnxruntime
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from headrace_runtime.codec.open_inference import decode_request, encode_response
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.tensor import Tensor, datatype_of

_BINARY = "application/vnd.sagemaker-triton.binary+json;json-header-size="


@dataclass(frozen=True)
class Invocation:
    """What InvokeEndpointAsync was asked for."""

    endpoint: str
    headers: dict[str, str]

    @property
    def inference_id(self) -> str:
        return self.headers["x-amzn-sagemaker-inference-id"]

    @property
    def round(self) -> int:
        return int(self.inference_id.rsplit(".", 1)[1])

    @property
    def input(self) -> str:
        """The key of the body."""
        return urlsplit(self.headers["x-amzn-sagemaker-inputlocation"]).path[1:]

    @property
    def output(self) -> str:
        """The key of its output, under the endpoint's S3OutputPath s3://staging/out/."""
        place = self.headers["x-amzn-sagemaker-s3outputpathextension"]
        return f"out/{place}/{self.headers['x-amzn-sagemaker-filename']}"

    @property
    def content_type(self) -> str:
        return self.headers["x-amzn-sagemaker-content-type"]


@dataclass
class PlayedSageMaker:
    """An endpoint `ep` and transform jobs that serve one version.

    Attributes:
        waiting: invocations that were taken and not answered yet.
        taken: all that were taken.
        transforms: requests of CreateTransformJob by name.
        statuses: how each transform job stands.
        refused: raised by whoever invokes the endpoint, once for each.
        no_quota: instance types of which the account has none left for transform jobs.
        most_instances: how many it has left of each other.
        on_create: done as a transform job is started.
    """

    manifest: Manifest
    graph: bytes
    waiting: list[Invocation] = field(default_factory=list)
    taken: list[Invocation] = field(default_factory=list)
    transforms: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    refused: list[Exception] = field(default_factory=list)
    no_quota: frozenset[str] = frozenset()
    most_instances: int = 100
    on_create: Callable[[], object] = lambda: None

    def listen(self) -> None:
        """Take what clients send that are made from now on."""
        boto3.setup_default_session()
        self._s3 = boto3.client("s3")
        events = boto3.DEFAULT_SESSION.events
        events.register("before-send.sagemaker-runtime.InvokeEndpointAsync", self._invoked)
        events.register("before-send.sagemaker.CreateTransformJob", self._create)
        events.register("before-send.sagemaker.DescribeTransformJob", self._describe)
        # moto would be asked as well, and lacks it.
        events.register("before-call.sagemaker.StopTransformJob", self._stop)

    def answer(self, invocation: Invocation, *, rows: int | None = None) -> dict[str, Any]:
        """Write an invocation's output; return the notice.

        Args:
            invocation: that was taken.
            rows: how many of its records get an answer; left out, all.
        """
        kind = self._write(invocation.input, invocation.output, invocation.content_type, rows)
        return notice(invocation, "Completed", responseParameters={"contentType": kind})

    def answer_all(self) -> list[dict[str, Any]]:
        """Answer all that waits; return the notices, in order."""
        answered, self.waiting[:] = list(self.waiting), []
        return [self.answer(invocation) for invocation in answered]

    def fail_all(self, status: str = "Failed") -> list[dict[str, Any]]:
        """Fail all that waits; return the notices, in order."""
        failed, self.waiting[:] = list(self.waiting), []
        return [notice(invocation, status) for invocation in failed]

    def transform(self, name: str, *, failing: set[str] = frozenset()) -> None:
        """Let a transform job run to its end.

        Args:
            name: of the job.
            failing: ends of keys of bodies on which the model fails, and so the job.
        """
        asked = self.transforms[name]
        source = urlsplit(asked["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
        manifest = json.loads(self._read(source.path[1:]))
        prefix, *relative = manifest
        assert prefix == {"prefix": "s3://staging/in/"}
        done = [key for key in relative if not any(key.endswith(end) for end in failing)]
        for key in done:
            self._write(f"in/{key}", f"out/{key}.out", asked["TransformInput"]["ContentType"])
        self.statuses[name] = "Completed" if done == relative else "Failed"

    def bodies(self, name: str) -> list[str]:
        """Return the keys of the bodies that a transform job takes, under `in/`."""
        return json.loads(self._read(f"manifests/{name}"))[1:]

    def _write(self, source: str, target: str, content: str, rows: int | None = None) -> str:
        size = re.fullmatch(re.escape(_BINARY) + r"(\d+)", content)
        assert size, content
        asked = decode_request(self._read(source), size[1], self.manifest.signature)
        session = onnxruntime.InferenceSession(self.graph, providers=["CPUExecutionProvider"])
        feeds = {tensor.name: tensor.array for tensor in asked.tensors}
        names = list(asked.outputs)
        arrays = [array[:rows] for array in session.run(names, feeds)]
        tensors = [
            Tensor(name, datatype_of(array), array)
            for name, array in zip(names, arrays, strict=True)
        ]
        given = encode_response("model", 1, asked, tensors)
        kind = f"{_BINARY}{given.header_length}"
        self._s3.put_object(Bucket="staging", Key=target, Body=given.body, ContentType=kind)
        return kind

    def _read(self, key: str) -> bytes:
        return self._s3.get_object(Bucket="staging", Key=key)["Body"].read()

    def _invoked(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        if self.refused:
            raise self.refused.pop(0)
        path = re.fullmatch(r"/endpoints/([^/]+)/async-invocations", urlsplit(request.url).path)
        assert path, request.url
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        invocation = Invocation(path[1], headers)
        self.waiting.append(invocation)
        self.taken.append(invocation)
        where = f"s3://staging/{invocation.output}"
        return _response(
            202,
            {"InferenceId": invocation.inference_id},
            {"X-Amzn-SageMaker-OutputLocation": where},
        )

    def _create(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        asked = json.loads(request.body)
        name = asked["TransformJobName"]
        instance_type = asked["TransformResources"]["InstanceType"]
        count = asked["TransformResources"]["InstanceCount"]
        if (
            instance_type in self.no_quota or count > self.most_instances
        ):  # before the name: the worse order, if AWS has either
            return _failure("ResourceLimitExceeded", f"the quota of {instance_type}")
        if name in self.transforms:
            return _failure("ResourceInUse", f"{name} exists")
        self.on_create()
        self.transforms[name], self.statuses[name] = asked, "InProgress"
        arn = f"arn:aws:sagemaker:eu-west-1:123456789012:transform-job/{name}"
        return _response(200, {"TransformJobArn": arn})

    def _describe(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        name = json.loads(request.body)["TransformJobName"]
        if name not in self.statuses:
            return _failure("ValidationException", f"Could not find requested job {name}")
        return _response(200, {"TransformJobName": name, "TransformJobStatus": self.statuses[name]})

    def _stop(self, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        self.statuses[json.loads(params["body"])["TransformJobName"]] = "Stopped"
        return _response(200, {}), {}


def notice(invocation: Invocation, status: str, **members: Any) -> dict[str, Any]:
    """Return what SageMaker tells a topic of an invocation."""
    told = {
        "awsRegion": "eu-west-1",
        "eventTime": "2026-11-26T09:03:21.814Z",
        "receivedTime": "2026-11-26T09:03:09.588Z",
        "invocationStatus": status,
        "requestParameters": {
            "endpointName": invocation.endpoint,
            "inputLocation": f"s3://staging/{invocation.input}",
        },
        "inferenceId": invocation.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if status == "Failed":
        told["failureReason"] = "ClientError: Received server error (500) from model"
    return told | members


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _failure(code: str, message: str) -> AWSResponse:
    return _response(400, {"__type": code, "message": message})


def _response(
    status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> AWSResponse:
    class Raw:
        def stream(self) -> list[bytes]:
            return [json.dumps(body).encode()]

    kind = {"Content-Type": "application/x-amz-json-1.1"}
    return AWSResponse("http://played", status, kind | (headers or {}), Raw())

"""SageMaker for the chaos: its API behind a port of this process, its answers and its notices.

It takes whatever comes at any time, and does what it has to do when it is told to `step`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from queue import SimpleQueue
from random import Random
from threading import Lock, Thread
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import boto3
import numpy as np

from headrace_runtime.codec.open_inference import decode_request, encode_response
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Datatype, Tensor
from tests.chaos.gpu_fates import POISON, fate
from tests.integration.played_sagemaker import Invocation, notice

_KIND = "application/vnd.sagemaker-triton.binary+json;json-header-size="
_ROWS, _OUTPUTS = np.indices((4, 3), np.float32)
_WEIGHTS, _BIAS = _ROWS - _OUTPUTS, np.arange(3, dtype=np.float32)  # `onnx_models.linear`
_LOST_EVENT, _BAD_BODY = 0.25, 0.06  # of transform jobs, of bodies in them


class SageMaker:
    """An endpoint and transform jobs.

    Attributes:
        url: of its API, both halves.
        gone_until: seconds on the monotonic clock, before which there is no endpoint.
        taken: how often each body was sent, by its inference id.
        transforms: how each transform job stands.
        figures: what was done, counted.
    """

    def __init__(self, collect_url: str, signature: Signature, seed: int) -> None:
        self._collect_url = collect_url
        self._signature = signature
        self._seed = seed
        self._draw = Random(seed)
        self._s3, self._sqs = boto3.client("s3"), boto3.client("sqs")
        self._accepted: SimpleQueue[Invocation] = SimpleQueue()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._lock = Lock()
        self._started: SimpleQueue[str] = SimpleQueue()
        self._asked: dict[str, dict[str, Any]] = {}
        self.url = ""
        self.gone_until = 0.0
        self.taken: Counter[str] = Counter()
        self.transforms: dict[str, str] = {}
        self.figures: Counter[str] = Counter()

    @property
    def busy(self) -> bool:
        """Whether it has anything to do yet."""
        return bool(self._due) or not self._accepted.empty() or not self._started.empty()

    def step(self) -> None:
        """Do what is due by now."""
        while not self._accepted.empty():
            self._look_at(self._accepted.get())
        while not self._started.empty():
            self._begin(self._started.get())
        while self._due and self._due[0][0] <= monotonic():
            heappop(self._due)[-1]()

    def invoke(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any], dict]:
        """Take a body; return status, answer and headers."""
        if monotonic() < self.gone_until:
            told = {"message": "Endpoint ep of account 123456789012 not found."}
            return 400, told, {"x-amzn-errortype": "ValidationError"}
        invocation = Invocation(path.split("/")[2], headers)
        self._accepted.put(invocation)
        where = f"s3://staging/{invocation.output}"
        said = {"InferenceId": invocation.inference_id}
        return 202, said, {"X-Amzn-SageMaker-OutputLocation": where}

    def control(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any], dict]:
        """Create, describe or stop a transform job; return status, answer and headers."""
        name = asked["TransformJobName"]
        with self._lock:
            if operation == "CreateTransformJob":
                if name in self.transforms:
                    return 400, {"__type": "ResourceInUse", "message": f"{name} exists"}, {}
                self.transforms[name], self._asked[name] = "InProgress", asked
                self._started.put(name)
                return 200, {"TransformJobArn": f"arn:aws:sagemaker:::transform-job/{name}"}, {}
            if name not in self.transforms:
                return 400, {"__type": "ValidationException", "message": "Could not find it"}, {}
            if operation == "StopTransformJob" and self.transforms[name] == "InProgress":
                self.transforms[name] = "Stopped"
            said = {"TransformJobName": name, "TransformJobStatus": self.transforms[name]}
            return 200, said if operation == "DescribeTransformJob" else {}, {}

    def _look_at(self, invocation: Invocation) -> None:
        """Draw what is to become of a body."""
        name = invocation.inference_id
        self.taken[name] += 1
        drawn = fate(name, self.taken[name], self._seed)
        self.figures["doubled"] += max(0, len(drawn.told) - 1)
        self.figures["dropped"] += not drawn.told
        for after_s in drawn.answers:
            self._in(after_s, lambda: self._answer(invocation, short=drawn.short))
        for after_s, status in drawn.told:
            self.figures[status.lower()] += 1
            self._in(after_s + 0.05, lambda status=status: self._tell(notice(invocation, status)))

    def _answer(self, invocation: Invocation, *, short: bool) -> None:
        if not self._written(
            invocation.input, invocation.output, invocation.content_type, short=short
        ):
            self._tell(notice(invocation, "Failed"))  # nobody needed it any more

    def _begin(self, name: str) -> None:
        self.figures["transforms"] += 1
        self._in(0.1, lambda: self._event(name))
        self._in(self._draw.uniform(0.4, 1.5), lambda: self._end(name))

    def _end(self, name: str) -> None:
        """Let a transform job run, all at once; it fails if the model does at one body."""
        source = self._asked[name]["TransformInput"]
        manifest = urlsplit(source["DataSource"]["S3DataSource"]["S3Uri"]).path[1:]
        body = self._s3.get_object(Bucket="staging", Key=manifest)["Body"].read()
        _, *keys = json.loads(body)
        good = [key for key in keys if not self._bad(key, name)]
        if len(good) < len(keys) and self._draw.random() < 0.5:
            good = good[: self._draw.randrange(len(good) + 1)]  # it broke off there
        if self.transforms[name] == "InProgress":
            for key in good:
                self._written(f"in/{key}", f"out/{key}.out", source["ContentType"])
        with self._lock:
            if self.transforms[name] == "InProgress":
                self.transforms[name] = "Completed" if good == keys else "Failed"
        self.figures["bad transforms"] += good != keys
        if self._draw.random() >= _LOST_EVENT:
            for _ in range(self._draw.choice((1, 1, 2))):
                self._in(self._draw.uniform(0, 0.8), lambda: self._event(name))

    def _bad(self, key: str, name: str) -> bool:
        if Random(f"{self._seed} {key}").random() < POISON:
            return True
        return Random(f"{self._seed} {key} {name}").random() < _BAD_BODY

    def _written(self, source: str, target: str, content: str, *, short: bool = False) -> bool:
        """Answer a body; return whether it was there."""
        try:
            body = self._s3.get_object(Bucket="staging", Key=source)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return False
        asked = decode_request(body, content.rpartition("=")[2], self._signature)
        (tensor,) = asked.tensors
        array = (tensor.array @ _WEIGHTS + _BIAS)[: -1 if short else None]
        given = encode_response("model", 1, asked, [Tensor("y", Datatype.FP32, array)])
        self._s3.put_object(
            Bucket="staging",
            Key=target,
            Body=given.body,
            ContentType=f"{_KIND}{given.header_length}",
        )
        return True

    def _event(self, name: str) -> None:
        detail = {"TransformJobName": name, "TransformJobStatus": self.transforms[name]}
        self._tell({"detail-type": "SageMaker Transform Job State Change", "detail": detail})

    def _tell(self, told: dict[str, Any]) -> None:
        self._sqs.send_message(QueueUrl=self._collect_url, MessageBody=json.dumps(told))

    def _in(self, after_s: float, do: Callable[[], None]) -> None:
        heappush(self._due, (monotonic() + after_s, next(self._numbers), do))


@contextmanager
def listening(sagemaker: SageMaker) -> Iterator[None]:
    """Let it take requests while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            target = self.headers.get("X-Amz-Target")
            if target:
                status, said, headers = sagemaker.control(
                    target.rpartition(".")[2], json.loads(body)
                )
            else:
                plain = {name.lower(): value for name, value in self.headers.items()}
                status, said, headers = sagemaker.invoke(self.path, plain)
            text = json.dumps(said).encode()
            self.send_response(status)
            kind = {"Content-Type": "application/x-amz-json-1.1", "Content-Length": len(text)}
            for name, value in (kind | headers).items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    Thread(target=server.serve_forever, daemon=True).start()
    sagemaker.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()

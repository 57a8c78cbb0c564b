"""SageMaker's runtime on this machine, as far as InvokeEndpoint goes, with a model behind it."""

import json
import os
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import numpy as np
import onnxruntime
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

CONTENT_TYPE = "application/vnd.sagemaker-triton.binary+json;json-header-size="
DTYPES = {
    "BOOL": np.dtype("?"),
    **{f"FP{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
    **{f"INT{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
}


class Call(NamedTuple):
    """A call that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def head(self) -> dict:
        """The JSON of the body."""
        return json.loads(self.body[: header_size(self.headers["content-type"])])

    def tensors(self) -> dict[str, np.ndarray]:
        """The inputs by name."""
        found, position = {}, header_size(self.headers["content-type"])
        for plain in self.head["inputs"]:
            size = plain["parameters"]["binary_data_size"]
            values = np.frombuffer(self.body[position : position + size], DTYPES[plain["datatype"]])
            found[plain["name"]] = values.reshape(plain["shape"])
            position += size
        assert position == len(self.body)
        return found


class Said(NamedTuple):
    """An answer of the service."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    error: str = ""


class RealtimeEndpoint:
    """Answers with what the test says, by default with the model's outputs, as Triton does."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.says: list[Said | Callable[[Call], Said]] = []
        self.default = self._run
        self.model: onnxruntime.InferenceSession | None = None
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                endpoint._answer(self)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def serve(self, graph: bytes) -> None:
        """Run this model."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self.model = onnxruntime.InferenceSession(graph, options)

    def _answer(self, http: BaseHTTPRequestHandler) -> None:
        body = http.rfile.read(int(http.headers["content-length"]))
        headers = {name.lower(): value for name, value in http.headers.items()}
        call = Call(http.path, headers, body)
        self.calls.append(call)
        says = self.says.pop(0) if self.says else self.default
        said = says(call) if callable(says) else says
        http.send_response(said.status)
        http.send_header("content-type", said.content_type)
        http.send_header("content-length", str(len(said.body)))
        if said.error:
            http.send_header("x-amzn-errortype", f"{said.error}:http://internal.amazon.com/coral/")
        http.end_headers()
        http.wfile.write(said.body)

    def _run(self, call: Call) -> Said:
        head = call.head
        wanted = [plain["name"] for plain in head["outputs"]]
        assert all(plain["parameters"] == {"binary_data": True} for plain in head["outputs"])
        try:
            outputs = self.model.run(wanted, call.tensors())
        except Exception as error:  # noqa: BLE001 - ORT raises many kinds
            return model_error(500, json.dumps({"error": f"onnx runtime error 2: {error}"}))
        return answered(dict(zip(wanted, outputs, strict=True)))


def answered(outputs: dict[str, np.ndarray]) -> Said:
    """Return what Triton answers, where these are the outputs."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    head = {
        "model_name": "model",
        "model_version": "1",
        "outputs": [
            {
                "name": name,
                "datatype": names[array.dtype],
                "shape": list(array.shape),
                "parameters": {"binary_data_size": array.nbytes},
            }
            for name, array in outputs.items()
        ],
    }
    text = json.dumps(head).encode()
    raw = b"".join(array.tobytes() for array in outputs.values())
    return Said(text + raw, content_type=f"{CONTENT_TYPE}{len(text)}")


def refused(status: int, error: str, message: str = "inner words") -> Said:
    """Return what the service answers that does not ask the container."""
    return Said(json.dumps({"message": message}).encode(), status, error=error)


def model_error(status: int, message: str) -> Said:
    """Return what the service answers where the container answered *status* and *message*."""
    facts = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
        "LogStreamArn": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/x",
        "Message": f'Received error ({status}) from model with message "{message}".',
        "OriginalMessage": message,
        "OriginalStatusCode": status,
    }
    return Said(json.dumps(facts).encode(), 424, error="ModelError")


def header_size(content_type: str) -> int:
    """Return the bytes of JSON before the values."""
    found = re.fullmatch(re.escape(CONTENT_TYPE) + r"(\d+)", content_type)
    assert found, content_type
    return int(found[1])


def is_signed(call: Call, url: str) -> bool:
    """Whether the call bears the signature that botocore gives it, of whom moto lets call."""
    key, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    kept = ("content-type", "x-amz-security-token")
    headers = {name: call.headers[name] for name in kept if name in call.headers}
    theirs = AWSRequest("POST", f"{url}{call.path}", headers, call.body)
    signer = SigV4Auth(Credentials(key, secret), "sagemaker", "eu-west-1")
    theirs.headers["X-Amz-Date"] = call.headers["x-amz-date"]
    theirs.headers["Host"] = call.headers["host"]
    theirs.context["timestamp"] = call.headers["x-amz-date"]
    canonical = signer.canonical_request(theirs)
    signature = signer.signature(signer.string_to_sign(theirs, canonical), theirs)
    names = signer.signed_headers(signer.headers_to_sign(theirs))
    return call.headers["authorization"] == (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(theirs)}, SignedHeaders={names}, "
        f"Signature={signature}"
    )

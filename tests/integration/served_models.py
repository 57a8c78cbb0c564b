"""Models behind a model server: archives as they go to SageMaker, and calls of what serves them."""

import http.client
import json
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from headrace_runtime.aws.triton_archive import write_archive
from headrace_runtime.codec.triton_body import content_type, decode_output, encode_body
from headrace_runtime.inference.graph_signature import signature_of
from headrace_runtime.model.signature import Signature
from headrace_runtime.model.triton_config import MODEL_FOLDER, config_pbtxt
from headrace_runtime.tensor import Tensor, datatype_of
from infra.local.child_processes import ChildProcesses
from infra.local.triton.model_server import ModelServer, start_model_server

JSON = "application/json"
HEADER = 1024


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    length: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Servers:
    """Starts servers, each in a folder of its own below one, and stops them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children = ChildProcesses(remove=[])
        self.running: list[ModelServer] = []

    def serve(self, graph: bytes, config: str, **also: Any) -> ModelServer:
        folder = self.folder / uuid.uuid4().hex[:8]
        folder.mkdir()
        (folder / "graph.onnx").write_bytes(graph)
        return self.start(write_archive(folder / "graph.onnx", config, folder), **also)

    def start(self, archive: Path, **also: Any) -> ModelServer:
        server = start_model_server(
            archive,
            environment={"SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": MODEL_FOLDER},
            children=self.children,
            scratch=self.folder / uuid.uuid4().hex[:8],
            log=self.folder / "log",
            **also,
        )
        self.running.append(server)
        return server

    def close(self) -> None:
        for server in self.running:
            server.stop()
        self.children.close()


def config(signature: Signature, rows: int = 8, **more: Any) -> str:
    return config_pbtxt(
        MODEL_FOLDER, signature, rows_at_once=rows, tensorrt=False, warm_length=1, **more
    )


def own_run(graph: bytes, inputs: dict[str, Any]) -> dict[str, Any]:
    """What ONNX Runtime answers when it is asked in this process."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def signature_in(graph: bytes) -> Signature:
    return signature_of(onnxruntime.InferenceSession(graph))


def call(
    url: str,
    body: bytes | dict[str, Any],
    content: str | None = JSON,
    *,
    method: str = "POST",
    path: str = "/invocations",
) -> Answer:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as line:
        return asked(line, body, content, method=method, path=path)


def asked(
    line: http.client.HTTPConnection,
    body: bytes | dict[str, Any],
    content: str | None = JSON,
    *,
    method: str = "POST",
    path: str = "/invocations",
) -> Answer:
    sent = json.dumps(body).encode() if isinstance(body, dict) else body
    line.request(method, path, sent or None, {} if content is None else {"Content-Type": content})
    with line.getresponse() as response:
        declared = response.headers["Content-Type"], int(response.headers["Content-Length"])
        return Answer(response.status, *declared, response.read())


def binary(
    inputs: dict[str, Any], outputs: Iterable[str], header: int = HEADER
) -> tuple[bytes, str]:
    """A body as hand_off writes it, and its content type."""
    tensors = []
    for name, array in inputs.items():
        datatype = datatype_of(array)
        assert datatype is not None
        tensors.append(Tensor(name, datatype, array))
    return encode_body(tensors, list(outputs), header), content_type(header)


def arrays(answer: Answer, signature: Signature) -> dict[str, Any]:
    """The outputs, as collect reads them."""
    assert answer.status == 200, answer.body
    assert answer.length == len(answer.body)
    read = decode_output(answer.body, answer.content_type, signature.outputs)
    return {tensor.name: tensor.array for tensor in read}


def plain(
    array: Any, name: str = "x", datatype: str = "FP32", shape: Sequence[int] | None = None
) -> dict[str, Any]:
    """An input in JSON."""
    flat = np.asarray(array).ravel().tolist()
    lengths = list(np.shape(array)) if shape is None else list(shape)
    return {"name": name, "datatype": datatype, "shape": lengths, "data": flat}

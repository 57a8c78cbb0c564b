"""What answers as Triton does where Triton cannot run: `python -m infra.local.triton.stand_in …`.

    python -m infra.local.triton.stand_in REPOSITORY PORTS

It serves the model of a repository on 127.0.0.1, writes its port to a file once it takes requests,
and ends with status 1 and a reason where the model cannot be loaded. What it lacks of Triton:
batches of several requests (each runs by itself), bodies without JSON, classes, other routes.
"""

import json
import os
import socket
import sys
from http import HTTPStatus
from pathlib import Path
from threading import Thread

from infra.local.triton.archive import MODEL
from infra.local.triton.infer_call import read_call, write_answer
from infra.local.triton.infer_refusals import InferRefused
from infra.local.triton.model_config import ConfigRefused, read_config
from infra.local.triton.onnx_model import ModelRefused
from infra.local.triton.served_model import ServedModel
from infra.local.wire import Connection, Request, WireError

_MAX_BODY_BYTES = 1 << 30  # SageMaker's limit for an asynchronous invocation
_METHODS = {"/ping": "GET", "/invocations": "POST"}

_Answer = tuple[int, str, bytes]


def main(repository: str, ports: str) -> int:
    """Serve until killed; return an exit status where there is nothing to serve."""
    folder = Path(repository, MODEL)
    try:
        model = ServedModel(
            folder / "1" / "model.onnx",
            read_config((folder / "config.pbtxt").read_text()),
            threads=int(os.environ.get("HEADRACE_MODEL_THREADS", "1")),
        )
    except (ConfigRefused, ModelRefused) as error:
        sys.stderr.write(f"failed to load 'model': {error}\n")
        return 1
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    Path(ports).write_text(f"{listener.getsockname()[1]}\n")
    while True:
        accepted, _ = listener.accept()
        Thread(target=_converse, args=(accepted, model), daemon=True).start()


def _converse(accepted: socket.socket, model: ServedModel) -> None:
    connection = Connection(accepted)
    try:
        while (request := connection.read_request(max_body_bytes=_MAX_BODY_BYTES)) is not None:
            status, content_type, body = _answer(request, model)
            close = [] if request.keep_alive else [("connection", "close")]
            head = [("content-type", content_type), *close]
            connection.respond(status, head, body, send_body=request.method != "HEAD")
            if not request.keep_alive:
                break
    except WireError as error:
        connection.respond(error.status, [("connection", "close")])
    except OSError:  # the caller left
        pass
    connection.close()


def _answer(request: Request, model: ServedModel) -> _Answer:
    path = request.target.partition("?")[0]
    if path not in _METHODS:
        return HTTPStatus.BAD_REQUEST, "text/plain", b""
    if request.method != _METHODS[path]:
        return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", _error("Method Not Allowed")
    if path == "/ping":
        return HTTPStatus.OK, "text/plain", b""
    try:
        call = read_call(request.body, request.header("content-type") or "")
        return HTTPStatus.OK, *write_answer(call, model.answer(call))
    except InferRefused as refusal:
        kind = "text/plain" if refusal.plain else "application/json"
        return refusal.status, kind, _error(str(refusal))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        return HTTPStatus.INTERNAL_SERVER_ERROR, "application/json", _error(repr(error))


def _error(sentence: str) -> bytes:
    return json.dumps({"error": sentence}, separators=(",", ":")).encode()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Open Inference Protocol V2 over HTTPS: what was asked, and answers as the protocol has them."""

from collections.abc import Mapping, Sequence

from headrace_runtime.codec.json_text import read_json
from headrace_runtime.codec.open_inference import InferRequest, decode_request, encode_response
from headrace_runtime.edge.content_encoding import packed, unpacked
from headrace_runtime.edge.http_api import Answer, Request, json_answer
from headrace_runtime.errors import InvalidInput, RouteNotFound
from headrace_runtime.model.alias import LIVE
from headrace_runtime.model.manifest import Manifest
from headrace_runtime.model.names import model_name, version_or_alias
from headrace_runtime.model.signature import Signature
from headrace_runtime.tensor import Tensor

SERVER = {"name": "headrace", "version": "0.1.0", "extensions": ["binary_tensor_data"]}
PLATFORM = "onnxruntime_onnx"

_HEADER_LENGTH = "inference-header-content-length"


def server_metadata() -> Answer:
    """Answer `GET /v2`."""
    return json_answer(SERVER)


def server_ready() -> Answer:
    """Answer both health routes; clients look for either word."""
    return json_answer({"live": True, "ready": True})


def other_route(request: Request) -> Answer:
    """Answer what no route matches: `/v2/` is the specification's spelling of `/v2`.

    Raises:
        RouteNotFound: it is nothing else that can be answered.
    """
    if request.method == "GET" and request.path == "/v2/":
        return server_metadata()
    raise RouteNotFound(request.method, request.path)


def asked_version(request: Request) -> tuple[str, int | str]:
    """Return the model's name and the version or alias in the path, `live` where none is.

    Raises:
        InvalidName: one of them cannot be a name.
    """
    version = request.parameters.get("version", LIVE)
    return model_name(request.parameters["model"]), version_or_alias(version)


def model_metadata(manifest: Manifest, latest: int) -> Answer:
    """Answer with the version's signature; versions are numbered 1 to *latest*."""
    return json_answer(
        {
            "name": manifest.model,
            "versions": [str(version) for version in range(1, latest + 1)],
            "platform": PLATFORM,
            **manifest.signature.to_dict(),
        }
    )


def model_ready(manifest: Manifest) -> Answer:
    """Answer that the version can be called."""
    return json_answer(
        {"name": manifest.model, "ready": True, "model_version": str(manifest.version)}
    )


def model_names(latest: Mapping[str, int]) -> Answer:
    """Answer with the names of the models that have a version; *latest* is 0 for the others."""
    return json_answer({"models": [name for name, version in latest.items() if version]})


def repository_index(request: Request, latest: Mapping[str, int]) -> Answer:
    """Answer with every version of every model, or with the ready ones alone if so asked.

    Raises:
        InvalidInput: there is a body, and it is no object with a boolean `ready`.
    """
    body = unpacked(request.body, request.headers.get("content-encoding", ""))
    asked = read_json(body) if body.strip() else {}
    if not isinstance(asked, dict) or not isinstance(asked.get("ready", False), bool):
        raise InvalidInput('the body must be empty or an object, as {"ready": true}')
    index = [
        {"name": name, "version": str(version), "state": "READY", "reason": ""}
        for name, newest in latest.items()
        for version in range(1, newest + 1)
    ]
    if not asked.get("ready"):
        refused = "every model that was dropped under this name was refused"
        index += [
            {"name": name, "state": "UNAVAILABLE", "reason": refused}
            for name, newest in latest.items()
            if not newest
        ]
    return json_answer(index)


def infer_request(request: Request, signature: Signature) -> InferRequest:
    """Return what an infer call asks of the model with this signature, its rows noted.

    Raises:
        InvalidInput: the body is malformed.
        TooLarge: it unpacks to too much.
        UnfitInput: it is a raw request, and the model cannot take one.
    """
    body = unpacked(request.body, request.headers.get("content-encoding", ""))
    asked = decode_request(body, request.headers.get(_HEADER_LENGTH), signature)
    shape = asked.tensors[0].shape if asked.tensors else ()
    request.invocation.metrics["RowsIn"] = shape[0] if shape else 1
    return asked


def infer_answer(
    request: Request, asked: InferRequest, manifest: Manifest, outputs: Sequence[Tensor]
) -> Answer:
    """Return the answer to an infer call, packed if it is large and the caller takes that.

    Raises:
        InvalidInput: JSON was asked for that cannot carry an output.
    """
    encoded = encode_response(manifest.model, manifest.version, asked, outputs)
    headers: dict[str, str] = {}
    if encoded.header_length is not None:
        headers = {
            "content-type": "application/octet-stream",
            _HEADER_LENGTH: str(encoded.header_length),
        }
    answer = Answer(encoded.body, headers=headers)
    return packed(answer, request.headers.get("accept-encoding", ""))

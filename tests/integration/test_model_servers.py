"""The contract of a model server, asked of real Triton and of what stands in for it."""

import http.client
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import magika
import numpy as np
import pytest

from headrace_runtime.codec.triton_body import header_bytes
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype
from infra.local.process_family import family
from infra.local.triton.load_failure import ModelServerFailed
from infra.local.triton.model_engine import STAND_IN, TRITON
from infra.local.triton.model_server import ModelServer
from tests import onnx_models
from tests.integration.served_models import (
    HEADER,
    JSON,
    Servers,
    arrays,
    asked,
    binary,
    call,
    config,
    own_run,
    plain,
    signature_in,
)

LINEAR, LINEAR_SIGNATURE = onnx_models.linear(), onnx_models.linear_signature()
ROW = plain([[0, 1, 2, 3]])
NUMBERS = [datatype for datatype in Datatype if datatype is not Datatype.BYTES]
# What JSON can carry of them.
WHOLE = [datatype for datatype in NUMBERS if datatype is not Datatype.FP16]


@pytest.fixture(scope="module", params=[TRITON, STAND_IN])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == TRITON:
        request.getfixturevalue("triton_runs")
    with pytest.MonkeyPatch.context() as variables:
        variables.setenv("HEADRACE_MODEL_SERVER", request.param)
        yield request.param


@pytest.fixture(scope="module")
def servers(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def linear(servers: Servers) -> ModelServer:
    return servers.serve(LINEAR, config(LINEAR_SIGNATURE))


@pytest.fixture(scope="module")
def copies(servers: Servers) -> ModelServer:
    graph = _copies(WHOLE, ("n", 4))
    return servers.serve(graph, config(signature_in(graph)))


@pytest.fixture(scope="module")
def pair(servers: Servers) -> ModelServer:
    return servers.serve(onnx_models.two_inputs(), config(onnx_models.TWO_INPUTS))


def test_the_server_is_the_one_that_was_chosen(engine, linear):
    assert linear.engine == engine
    assert linear.url.startswith("http://127.0.0.1:")
    assert linear.http_url is None


def test_a_ping_is_answered_with_nothing(linear):
    answer = call(linear.url, b"", None, method="GET", path="/ping")

    assert (answer.status, answer.body, answer.length) == (200, b"", 0)


def test_a_body_as_hand_off_writes_it_is_answered_as_onnx_runtime_answers(linear):
    x = np.random.default_rng(1).random((5, 4), np.float32)

    answer = call(linear.url, *binary({"x": x}, ["y"]))

    length = int(answer.content_type.rpartition("=")[2])
    assert answer.content_type == (
        f"application/vnd.sagemaker-triton.binary+json;json-header-size={length}"
    )
    assert json.loads(answer.body[:length]) == {
        "model_name": "model",
        "model_version": "1",
        "outputs": [
            {
                "name": "y",
                "datatype": "FP32",
                "shape": [5, 3],
                "parameters": {"binary_data_size": 60},
            }
        ],
    }
    np.testing.assert_array_equal(
        arrays(answer, LINEAR_SIGNATURE)["y"], own_run(LINEAR, {"x": x})["y"]
    )


def test_a_real_model_answers_as_it_does_in_our_own_process(servers):
    graph = next(Path(magika.__file__).parent.glob("models/*/model.onnx")).read_bytes()
    signature = signature_in(graph)
    server = servers.serve(graph, config(signature, 64))
    text = np.random.default_rng(2).integers(0, 257, (7, 2048), np.int32)
    name = signature.inputs[0].name

    answer = call(server.url, *binary({name: text}, signature.output_names))

    expected = own_run(graph, {name: text})
    for output, array in arrays(answer, signature).items():
        np.testing.assert_allclose(array, expected[output], rtol=0, atol=1e-6)


@pytest.mark.parametrize("content", [JSON, "application/octet-stream", "text/csv", None])
def test_json_is_json_whatever_it_is_called(linear, content):
    answer = call(linear.url, {"inputs": [plain([[0, 1, 2, 3], [4, 5, 6, 7]])]}, content)

    assert (answer.status, answer.content_type) == (200, JSON)
    assert answer.json == {
        "model_name": "model",
        "model_version": "1",
        "outputs": [
            {
                "name": "y",
                "datatype": "FP32",
                "shape": [2, 3],
                "data": [14.0, 9.0, 4.0, 38.0, 17.0, -4.0],
            }
        ],
    }


def test_the_id_of_a_request_comes_back(linear):
    answer = call(linear.url, {"id": "7b", "inputs": [plain([[0, 1, 2, 3]])]})

    assert answer.json["id"] == "7b"


def test_outputs_come_as_each_is_asked_for(pair):
    asked_for = [{"name": "scaled", "parameters": {"binary_data": True}}, {"name": "total"}]
    inputs = [plain([1, 2], "left"), plain([3, 4], "right")]

    answer = call(pair.url, {"inputs": inputs, "outputs": asked_for})

    length = int(answer.content_type.rpartition("=")[2])
    assert json.loads(answer.body[:length])["outputs"] == [
        {"name": "total", "datatype": "FP32", "shape": [2], "data": [4.0, 6.0]},
        {
            "name": "scaled",
            "datatype": "FP32",
            "shape": [2],
            "parameters": {"binary_data_size": 8},
        },
    ]
    assert np.frombuffer(answer.body[length:], np.float32).tolist() == [3.0, 8.0]


def test_an_output_that_is_not_asked_for_does_not_come(pair):
    inputs = [plain([1, 2], "left"), plain([3, 4], "right")]

    answer = call(pair.url, {"inputs": inputs, "outputs": [{"name": "scaled"}]})

    assert [output["name"] for output in answer.json["outputs"]] == ["scaled"]


def test_nothing_is_answered_with_nothing(pair):
    inputs = [plain([], "left", shape=[0]), plain([], "right", shape=[0])]
    outputs = [{"name": "total", "parameters": {"binary_data": True}}, {"name": "scaled"}]

    answer = call(pair.url, {"inputs": inputs, "outputs": outputs})

    assert answer.content_type == JSON
    assert answer.json["outputs"] == [
        {"name": "total", "datatype": "FP32", "shape": [0], "parameters": {"binary_data_size": 0}},
        {"name": "scaled", "datatype": "FP32", "shape": [0], "data": []},
    ]


@pytest.mark.parametrize("inner", [(4,), (2, 1, 2)])
def test_numbers_of_every_datatype_and_rank_pass_unchanged(servers, inner):
    graph = _copies(NUMBERS, ("n", *inner))
    signature = signature_in(graph)
    server = servers.serve(graph, config(signature))
    draw = np.random.default_rng(3)
    sent = {
        kind.value: draw.integers(0, 2, (3, 4 * kind.size_bytes), np.uint8)
        .view(kind.dtype)
        .reshape(3, *inner)
        for kind in NUMBERS
    }
    outputs = signature.output_names

    answer = call(server.url, *binary(sent, outputs, header_bytes(signature)))

    received = arrays(answer, signature)
    assert {name: received[f"{name}-out"].tobytes() for name in sent} == {
        name: array.tobytes() for name, array in sent.items()
    }


def _copies(datatypes: Sequence[Datatype], shape: Sequence[int | str]) -> bytes:
    """`FP32-out = FP32`, and so on."""
    node = onnx_models.helper.make_node
    return onnx_models.model(
        [node("Identity", [kind.value], [f"{kind.value}-out"]) for kind in datatypes],
        [onnx_models.value(kind.value, kind, shape) for kind in datatypes],
        [onnx_models.value(f"{kind.value}-out", kind, shape) for kind in datatypes],
    )


def test_bare_numbers_stand_in_rows_of_one_for_triton_and_alone_for_the_model(servers):
    one = "data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] }"
    reshaped = (
        'backend: "onnxruntime" max_batch_size: 4 '
        f'input {{ name: "x" {one} }} output {{ name: "y" {one} }}'
    )
    server = servers.serve(onnx_models.identity(shape=["n"]), reshaped)

    answer = call(server.url, {"inputs": [plain([[1], [2]])]})

    assert answer.json["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [2, 1], "data": [1.0, 2.0]}
    ]


def test_as_many_records_as_the_archive_allows_are_taken_at_once(linear):
    x = np.ones((8, 4), np.float32)

    answer = call(linear.url, *binary({"x": x}, ["y"]))

    assert arrays(answer, LINEAR_SIGNATURE)["y"].shape == (8, 3)


def test_each_of_many_clients_gets_the_answers_to_its_own_records(linear):
    def client(number):
        draw = np.random.default_rng(number)
        line = http.client.HTTPConnection(linear.url.removeprefix("http://"), timeout=30)
        for _ in range(40):
            x = draw.integers(-9, 9, (draw.integers(1, 5), 4)).astype(np.float32)
            answer = asked(line, *binary({"x": x}, ["y"]))
            np.testing.assert_array_equal(
                arrays(answer, LINEAR_SIGNATURE)["y"], own_run(LINEAR, {"x": x})["y"]
            )
        line.close()

    with ThreadPoolExecutor(4) as clients:
        list(clients.map(client, range(4)))


def test_a_record_that_fails_fails_its_own_request_alone(servers):
    signature = Signature(
        (TensorSpec("i", Datatype.INT64, (-1, 1)),), (TensorSpec("y", Datatype.FP32, (-1, 1)),)
    )
    server = servers.serve(_lookup(), config(signature))

    def client(index):
        return call(server.url, {"inputs": [plain([[index]], "i", "INT64")]})

    wanted = [0, 1, 9, 3, 4, 9, 2, 1] * 10
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(client, wanted))

    for index, answer in zip(wanted, answers, strict=True):
        if index == 9:
            assert (answer.status, answer.content_type) == (500, "text/plain")
            assert "out of data bounds" in answer.json["error"]
        else:
            assert answer.json["outputs"][0]["data"] == [float(index)]


def _lookup() -> bytes:
    """`y = table[i]` of five rows, a record being one index: an index out of range fails."""
    helper = onnx_models.helper
    return onnx_models.model(
        [helper.make_node("Gather", ["table", "i"], ["y"])],
        [onnx_models.value("i", Datatype.INT64, ["n", 1])],
        [onnx_models.value("y", Datatype.FP32, ["n", 1])],
        [onnx_models.weight("table", np.arange(5, dtype=np.float32))],
    )


def test_the_server_goes_on_after_clients_that_leave_in_the_middle(linear):
    for _ in range(3):
        line = http.client.HTTPConnection(linear.url.removeprefix("http://"))
        line.putrequest("POST", "/invocations")
        line.putheader("Content-Length", "100000")
        line.endheaders(b"{")
        line.close()

    assert call(linear.url, {"inputs": [plain([[0, 1, 2, 3]])]}).status == 200


def test_stopping_waits_for_no_client_and_leaves_nothing(servers, engine):
    before = _shared_memory()
    server = servers.serve(LINEAR, config(LINEAR_SIGNATURE))
    line = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
    assert asked(line, {"inputs": [ROW]}).status == 200
    members = family(server.pid)
    assert len(members) == (3 if engine == TRITON else 1)
    assert len(_shared_memory() - before) == (1 if engine == TRITON else 0)
    start = time.monotonic()

    server.stop()

    assert time.monotonic() - start < 2
    assert [pid for pid in members if _runs(pid)] == []
    assert _shared_memory() == before
    with pytest.raises(ConnectionRefusedError):
        call(server.url, b"", None, method="GET", path="/ping")
    server.stop()
    line.close()


def _shared_memory() -> set[Path]:
    return set(Path("/dev/shm").glob(f"headrace-{os.getpid()}-*"))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_nothing_but_this_machine_reaches_it(linear):
    """Each port that its processes listen on is bound to 127.0.0.1, over IPv4."""
    sockets = {
        str(file.readlink())
        for pid in family(linear.pid)
        for file in Path(f"/proc/{pid}/fd").iterdir()
        if file.is_symlink()
    }
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
            if state == "0A" and f"socket:[{inode}]" in sockets:
                address, _, port = local.partition(":")
                listening.append((table, address, f"http://127.0.0.1:{int(port, 16)}"))

    assert listening == [("tcp", "0100007F", linear.url)]


def test_a_model_that_cannot_be_loaded_is_refused_with_its_reason(servers):
    with pytest.raises(ModelServerFailed, match=r"allowed inputs are: x$"):
        servers.serve(LINEAR, config(LINEAR_SIGNATURE).replace('name: "x"', 'name: "z"'))
    with pytest.raises(ModelServerFailed, match=r"tensor\(float\), that of the .* TYPE_FP64$"):
        servers.serve(LINEAR, config(LINEAR_SIGNATURE).replace("TYPE_FP32", "TYPE_FP64"))
    with pytest.raises(ModelServerFailed, match=r"the shape \[-1, 4\], .* \[-1, 5\]$"):
        servers.serve(LINEAR, config(LINEAR_SIGNATURE).replace("[ 4 ]", "[ 5 ]"))
    with pytest.raises(ModelServerFailed, match=r"(?i)protobuf"):
        servers.serve(b"no model", config(LINEAR_SIGNATURE))


def test_a_log_of_earlier_servers_lends_no_reason(servers):
    with pytest.raises(ModelServerFailed, match="allowed inputs"):
        servers.serve(LINEAR, config(LINEAR_SIGNATURE).replace('name: "x"', 'name: "z"'))
    with pytest.raises(ModelServerFailed, match="allowed outputs are: y"):
        servers.serve(LINEAR, config(LINEAR_SIGNATURE).replace('name: "y"', 'name: "z"'))


RAW = np.arange(8, dtype=np.float32).tobytes()


def _with(**changes):
    """The one good request of `linear`, changed."""
    return {"inputs": [{**ROW, **changes}]}


def _without(member):
    return {"inputs": [{name: value for name, value in ROW.items() if name != member}]}


def _raw(header=HEADER, size=32, tail=b"", **changes):
    """The same with raw values: two records."""
    entry = {"name": "x", "datatype": "FP32", "shape": [2, 4], **changes}
    head = {"inputs": [{**entry, "parameters": {"binary_data_size": size}}]}
    content = f"application/vnd.sagemaker-triton.binary+json;json-header-size={header}"
    return json.dumps(head).encode().ljust(HEADER) + RAW + tail, content


REFUSALS = {
    "nothing": (b"", JSON, 400, ""),
    "csv": (b"0,1,2,3\n", "text/csv", 500, "failed to parse the request JSON buffer"),
    "no-json": (b"hello", JSON, 500, "failed to parse the request JSON buffer"),
    "no-inputs": ({}, JSON, 500, "Unable to parse 'inputs'"),
    "inputs-an-object": ({"inputs": {}}, JSON, 500, "Unable to parse 'inputs'"),
    "none": ({"inputs": []}, JSON, 400, "expected 1 inputs but got 0 inputs for model 'model'"),
    "id-a-number": ({"id": 3, "inputs": [ROW]}, JSON, 500, "Unable to parse 'id'"),
    "no-name": (_without("name"), JSON, 500, "Unable to parse 'name'"),
    "no-shape": (_without("shape"), JSON, 500, "Unable to parse 'shape'"),
    "no-datatype": (_without("datatype"), JSON, 500, "Unable to parse 'datatype'"),
    "no-data": (_without("data"), JSON, 400, "But no field is set"),
    "another-shape": (
        _with(shape=[1, 5], data=[1] * 5),
        JSON,
        400,
        "unexpected shape for input 'x' for model 'model'. Expected [-1,4], got [1,5]",
    ),
    "another-rank": (_with(shape=[4]), JSON, 400, "Expected [-1,4], got [4]"),
    "no-dimension": (_with(shape=[], data=[1]), JSON, 400, "has no shape but model requires"),
    "no-record": (_with(shape=[0, 4], data=[]), JSON, 400, "input byte size mismatch"),
    "a-negative-length": (_with(shape=[-1, 4]), JSON, 500, "Unable to parse 'shape'"),
    "a-length-as-text": (_with(shape=["1", 4]), JSON, 500, "Unable to parse 'shape'"),
    "too-many-records": (
        _with(shape=[9, 4], data=[1] * 36),
        JSON,
        400,
        "inference request batch-size must be <= 8 for 'model'",
    ),
    "too-few-values": (_with(data=[1]), JSON, 500, "Shape does not match true shape of 'data'"),
    "too-many-values": (_with(data=[1] * 5), JSON, 500, "Shape does not match true shape"),
    "values-as-text": (_with(data=["1"] * 4), JSON, 500, "non-number as double"),
    "values-that-are-true": (_with(data=[True] * 4), JSON, 500, "non-number as double"),
    "another-name": (_with(name="z"), JSON, 400, "unexpected inference input 'z'"),
    "one-too-many": (
        {"inputs": [ROW, {**ROW, "name": "z"}]},
        JSON,
        400,
        "expected 1 inputs but got 2 inputs",
    ),
    "twice": ({"inputs": [ROW, ROW]}, JSON, 400, "input 'x' already exists in request"),
    "another-datatype": (
        _with(datatype="FP64"),
        JSON,
        400,
        "inference input 'x' data-type is 'FP64', but model 'model' expects 'FP32'",
    ),
    "no-such-datatype": (_with(datatype="FP99"), JSON, 400, "invalid datatype for input x"),
    "no-such-output": (
        {"inputs": [ROW], "outputs": [{"name": "q"}]},
        JSON,
        400,
        "unexpected inference output 'q' for model 'model'",
    ),
    "an-output-without-name": ({"inputs": [ROW], "outputs": [{}]}, JSON, 500, "parse 'name'"),
    "raw-of-another-shape": (*_raw(shape=[2, 5]), 400, "Expected [-1,4], got [2,5]"),
    "raw-of-another-datatype": (*_raw(datatype="FP64", shape=[1, 4]), 400, "expects 'FP32'"),
    "raw-and-short": (
        *_raw(size=64),
        400,
        "unexpected size for input 'x', expecting 32 additional",
    ),
    "raw-and-long": (*_raw(tail=b"!"), 400, "unexpected additional input data for model 'model'"),
    "raw-without-size": (*_raw(size="32"), 500, "Unable to parse 'binary_data_size'"),
    "a-header-too-long": (*_raw(header=9999), 400, "header size should be in range (0, 1056)"),
    "a-negative-header": (*_raw(header=-1), 400, "header size should be in range (0, 1056)"),
    "a-header-cut-short": (*_raw(header=10), 500, "failed to parse the request JSON buffer"),
    "no-header": (*_raw(header=0), 400, ""),
    "no-length": (
        _raw()[0],
        "application/vnd.sagemaker-triton.binary+json",
        400,
        "unexpected size",
    ),
}


@pytest.mark.parametrize(
    ("body", "content", "status", "sentence"), REFUSALS.values(), ids=REFUSALS.keys()
)
def test_a_wrong_request_gets_the_status_and_the_words_of_triton(
    linear, body, content, status, sentence
):
    answer = call(linear.url, body, content)

    assert answer.status == status
    assert answer.length == len(answer.body)
    assert sentence in answer.json["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/invocations", 405, b'{"error":"Method Not Allowed"}'),
        ("PUT", "/invocations", 405, b'{"error":"Method Not Allowed"}'),
        ("POST", "/ping", 405, b'{"error":"Method Not Allowed"}'),
        ("GET", "/execution-parameters", 400, b""),
        ("GET", "/v2/health/ready", 400, b""),
        ("POST", "/invocations/", 400, b""),
        ("GET", "/", 400, b""),
    ],
)
def test_other_routes_are_refused_as_triton_refuses_them(linear, method, path, status, body):
    answer = call(linear.url, b"", None, method=method, path=path)

    assert (answer.status, answer.content_type, answer.body) == (status, "text/plain", body)


@pytest.mark.parametrize(
    ("datatype", "data", "status", "answered"),
    [
        ("INT8", [300, -129, 127, 0], 200, [44, 127, 127, 0]),
        ("UINT8", [256, 1, 255, 0], 200, [0, 1, 255, 0]),
        ("UINT8", [-1, 1, 1, 1], 500, None),
        ("INT64", [2**63 - 1, -(2**63), 0, 1], 200, [2**63 - 1, -(2**63), 0, 1]),
        ("INT64", [2**63, 0, 0, 0], 500, None),
        ("INT64", [1.0, 0, 0, 0], 500, None),
        ("UINT64", [2**64 - 1, 0, 0, 0], 200, [2**64 - 1, 0, 0, 0]),
        ("BOOL", [True, False, False, True], 200, [True, False, False, True]),
        ("BOOL", [1, 0, 0, 1], 500, None),
        ("FP32", [0.1, 1e39, -1, 16777217], 200, [0.10000000149011612, np.inf, -1, 16777216]),
        ("FP64", [0.1, 1e300, -1, 1 / 3], 200, [0.1, 1e300, -1, 1 / 3]),
    ],
)
def test_numbers_in_json_are_taken_as_triton_takes_them(copies, datatype, data, status, answered):
    zeros = {
        kind.value: plain([[kind.dtype.type(0)] * 4], kind.value, kind.value) for kind in WHOLE
    }
    given = zeros | {datatype: plain(np.array([data], object), datatype, datatype)}
    output = {"name": f"{datatype}-out"}

    answer = call(copies.url, {"inputs": list(given.values()), "outputs": [output]})

    assert answer.status == status
    assert answered is None or answer.json["outputs"][0]["data"] == answered


def test_halves_are_taken_and_given_raw_alone(servers):
    half = Datatype.FP16
    server = servers.serve(onnx_models.identity(half), config(onnx_models.identity_signature(half)))
    body, content = binary({"x": np.ones((1, 4), np.float16)}, ["y"])
    body = body.replace(b'"binary_data":true', b'"binary_data":false').replace(b" ", b"", 1)

    taken = call(server.url, {"inputs": [plain([[1, 2, 3, 4]], datatype="FP16")]})
    given = call(server.url, body, content)

    assert (taken.status, taken.content_type) == (400, JSON)
    assert "receiving FP16 data via JSON is not supported" in taken.json["error"]
    assert (given.status, given.content_type) == (400, "text/plain")
    assert "sending FP16 data via JSON is not supported" in given.json["error"]

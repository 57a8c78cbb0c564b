"""Jobs on GPUs over the whole cloud, answered by Triton, or by what stands in for it here."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from headrace import Client, Job
from infra.local.triton.model_engine import why_not_triton
from tests.e2e.conftest import Cloud

COLUMNS, ROWS, LAYERS = 20, 2500, 80  # two to three seconds, and the stage's limit is one
# Of a float32 that was added up in another order: AVX does not promise one.
TOLERANCE = 1e-5


def network(layers: int) -> bytes:
    """Return a network over 20 numbers; each of its layers is a million multiplications a row."""
    draw = np.random.default_rng(5)
    wide = numpy_helper.from_array(draw.normal(0, 0.3, (COLUMNS, 1024)).astype(np.float32), "in")
    square = draw.normal(0, 1 / 40, (1024, 1024)).astype(np.float32)
    last = numpy_helper.from_array(draw.normal(0, 0.1, (1024, 2)).astype(np.float32), "out")
    nodes = [helper.make_node("MatMul", ["x", "in"], ["h0"])]
    for n in range(layers):
        nodes.append(helper.make_node("MatMul", [f"h{n}", "w"], [f"m{n}"]))
        nodes.append(helper.make_node("Tanh", [f"m{n}"], [f"h{n + 1}"]))
    nodes.append(helper.make_node("MatMul", [f"h{layers}", "out"], ["y"]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", COLUMNS])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])
    weights = [wide, numpy_helper.from_array(square, "w"), last]
    graph = helper.make_graph(nodes, "network", [x], [y], weights)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


def rows_of_numbers(rows: int = ROWS) -> bytes:
    """Return a CSV of so many records, one in a hundred of them bad."""
    draw = np.random.default_rng(7)
    lines = [",".join(f"c{i}" for i in range(COLUMNS))]
    for row, values in enumerate(draw.normal(0, 1, (rows, COLUMNS))):
        cells = [f"{value:.4f}" for value in values]
        cells[3] = "unknown" if row % 100 == 50 else cells[3]
        lines.append(",".join(cells))
    return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True)
class Answered:
    """A job that ended, the numbers of its results, its errors and its manifest."""

    job: Job
    numbers: np.ndarray
    errors: bytes
    manifest: dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def told_who_answers() -> None:
    if reason := why_not_triton():
        print(f"the stand-in answers, and not Triton: {reason}")  # noqa: T201 - it says so


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> Iterator[Client]:
    with Client(cloud.url, api_key=cloud.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gpu") / "rows.csv"
    path.write_bytes(rows_of_numbers())
    return path


@pytest.fixture(scope="module")
def on_lambda(client: Client, file: Path, tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """What the CPU gives for the file."""
    client.publish(network(LAYERS), "net-never", accelerator="never")
    return answered(client, "net-never", file, tmp_path_factory.mktemp("never"))


def answered(client: Client, model: str, file: Path, folder: Path) -> Answered:
    job = client.wait(client.submit(file, model), timeout_s=200)
    files = {path.name: path.read_bytes() for path in client.results(job.job_id, folder)}
    rows = list(csv.reader(io.StringIO(files["results.csv"].decode())))
    numbers = np.array([[float(cell) for cell in row] for row in rows[1:]])
    return Answered(job, numbers, files["errors.jsonl"], json.loads(files["manifest.json"]))


def accounting(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what a manifest says of records, shards and files."""
    names = ("state", "format", "compression", "shards", "rows_in", "rows_ok", "rows_failed")
    files = [name.rsplit("/", 1)[1] for name in manifest["files"]]
    return {name: manifest[name] for name in names} | {"files": files}


@pytest.mark.parametrize(
    ("accelerator", "why"),
    [("gpu", "the model asks for a GPU"), ("auto", "above the stage's limit")],
    ids=["of a model for GPUs", "of a file too heavy for Lambda"],
)
def test_a_job_ends_on_a_gpu_as_it_does_on_lambda(
    client: Client, on_lambda: Answered, file: Path, accelerator: Any, why: str, tmp_path: Path
) -> None:
    client.publish(network(LAYERS), f"net-{accelerator}", accelerator=accelerator)

    gpu = answered(client, f"net-{accelerator}", file, tmp_path)

    assert gpu.job.placement is not None
    assert gpu.job.placement.engine == "sagemaker-async"
    assert why in gpu.job.placement.reason
    assert gpu.manifest["placement"]["inputs"]["gpu_instance"] == "ml.g5.xlarge"
    np.testing.assert_allclose(gpu.numbers, on_lambda.numbers, atol=TOLERANCE)
    assert gpu.numbers.shape == (ROWS - ROWS // 100, COLUMNS + 2)
    assert gpu.errors == on_lambda.errors
    assert accounting(gpu.manifest) == accounting(on_lambda.manifest)

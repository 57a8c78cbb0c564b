"""The SDK and the command line against a whole cloud, as a caller has them."""

import csv
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from headrace import Acceleration, ApiError, Canary, Client, ModelRefused
from headrace.command_line import main


def _graph(*, factor, op="Mul"):
    """A model that multiplies two columns by a factor; of an unknown operator on demand."""
    sides = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in ("x", "y")
    ]
    node = helper.make_node(op, ["x", "factor"], ["y"])
    weight = helper.make_tensor("factor", TensorProto.FLOAT, [], [factor])
    graph = helper.make_graph([node], "multiply", sides[:1], sides[1:], [weight])
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


@pytest.fixture(scope="module")
def client(cloud):
    with Client(cloud.url, api_key=cloud.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def double(client):
    """Model `client-double` with one version."""
    return client.publish(_graph(factor=2.0), "client-double")


@pytest.fixture
def headrace(cloud, monkeypatch):
    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)

    def run(*words):
        return CliRunner().invoke(main, [str(word) for word in words])

    return run


def test_a_published_model_is_called_with_arrays_and_lists(client, double):
    array = client.predict("client-double", np.array([[1, 2.5]], np.float32))
    nested = client.predict("client-double", {"x": [[1, 2.5]]}, version="live", outputs=["y"])

    assert double.version == 1
    assert array["y"].tolist() == nested["y"].tolist() == [[2.0, 5.0]]
    assert array["y"].dtype == np.float32
    assert array.version == "1"


def test_the_same_bytes_are_the_same_version(client, double):
    again = client.publish(_graph(factor=2.0), "client-double")

    assert (again.version, again.digest) == (double.version, double.digest)


def test_the_same_bytes_with_another_choice_of_accelerator_are_another_version(client, headrace):
    auto = client.publish(_graph(factor=5.0), "client-choice")
    never = client.publish(_graph(factor=5.0), "client-choice", accelerator="never")

    again = client.publish(_graph(factor=5.0), "client-choice", accelerator="never")

    assert (auto.version, never.version, again.version) == (1, 2, 2)
    assert never.acceleration == Acceleration("never")
    assert (auto.rows_at_once, never.rows_at_once) == (65_536, None)
    shown = headrace("models", "client-choice").output
    assert "CPU or GPU, 65,536 records a request" in shown
    assert "CPU only, by choice" in shown


def test_an_alias_moves_with_a_canary(client, double):
    second = client.publish(_graph(factor=3.0), "client-double")
    alias = client.move_alias("client-double", "trial", 1, canary=Canary(second.version, 1.0))

    tried = client.predict("client-double", [[1, 1]], version="trial")
    promoted = client.move_alias("client-double", "trial", second.version, revision=alias.revision)

    assert (tried["y"].tolist(), tried.version) == ([[3.0, 3.0]], str(second.version))
    assert client.alias("client-double", "trial") == promoted
    with pytest.raises(ApiError) as conflict:
        client.move_alias("client-double", "trial", 1, revision=alias.revision)
    assert (conflict.value.status, conflict.value.code) == (409, "CONFLICT")


def test_a_shape_that_does_not_fit_is_the_sentence_of_the_service(client, double):
    with pytest.raises(ApiError, match=r"input 'x' takes shape \[-1, 2\]") as refused:
        client.predict("client-double", [[1, 2, 3]])

    assert refused.value.status == 422
    assert refused.value.request_id


def test_a_call_that_is_too_large_says_what_to_do_instead(client, double):
    with pytest.raises(ApiError, match="send fewer records a call, or submit them as a file") as no:
        client.predict("client-double", np.zeros((700_000, 2), np.float32))

    assert no.value.status == 413


def test_a_model_that_is_refused_says_why_and_is_seen_to(client, headrace, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(_graph(factor=1.0, op="NoSuchOperator"))

    with pytest.raises(ModelRefused) as refused:
        client.publish(broken, "client-broken")
    ended = headrace("publish", broken, "--name", "client-broken")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == f"Error: {refused.value.sentence}\n"
    assert refused.value.rule in headrace("models", "client-broken").stdout


def test_a_file_is_submitted_waited_for_and_its_results_come_down(headrace, double, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("x0,x1\n1,2\n3,oops\n5,6\n")

    ended = headrace(
        "submit", rows, "--model", "client-double", "--version", 1, "-o", tmp_path / "out"
    )

    assert ended.exit_code == 0, ended.output
    assert "partial: 2 of 3 records answered, 1 failed" in ended.stderr
    job_id, *paths = ended.stdout.splitlines()
    assert re.fullmatch("[0-9a-f]{32}", job_id)
    assert [path.rpartition("/")[2] for path in paths] == [
        "results.csv",
        "errors.jsonl",
        "manifest.json",
    ]
    answered = list(csv.DictReader((tmp_path / "out" / "results.csv").read_text().splitlines()))
    assert [[float(row["y_0"]), float(row["y_1"])] for row in answered] == [[2, 4], [10, 12]]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["job_id"], manifest["rows_in"], manifest["version"]) == (job_id, 3, 1)
    assert json.loads(headrace("job", job_id).stdout)["state"] == "partial"


def test_the_records_that_failed_are_tried_again_below_their_header(headrace, double, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text('x0,x1\n1,2\n"oo\nps",4\n5,\n')
    first, *_ = headrace("submit", rows, "--model", "client-double", "--wait").stdout.split()

    again = headrace("retry", first, "--failed-rows", "--wait")

    assert again.exit_code == 1
    assert "failed: none of the 2 records could be answered" in again.stderr
    headrace("results", again.stdout.strip(), "-o", tmp_path)
    errors = (tmp_path / "errors.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in errors] == [2, 4]


def test_a_job_is_found_in_the_list_and_its_file_comes_back(client, double, tmp_path):
    (tmp_path / "rows.jsonl").write_text("[1, 2]\n[3, 4]\n")
    job_id = client.submit(tmp_path / "rows.jsonl", "client-double", 1, results="predictions")
    ended = client.wait(job_id)

    listed = {job.job_id: job for job in client.jobs("client-double", "succeeded")}

    assert listed[job_id] == ended
    assert (ended.rows_ok, ended.written, ended.format) == (2, "predictions", "jsonl")
    assert client.input(job_id, tmp_path / "back").read_text() == "[1, 2]\n[3, 4]\n"
    with pytest.raises(ApiError) as conflict:
        client.cancel(job_id)
    assert conflict.value.code == "CONFLICT"


def test_the_same_order_under_the_same_key_is_one_job(client, double, tmp_path):
    (tmp_path / "rows.csv").write_text("1,2\n")
    orders = [
        client.submit(tmp_path / "rows.csv", "client-double", 1, idempotency_key="e2e-one")
        for _ in range(2)
    ]

    copied = client.submit_object(*_place(client.wait(orders[0]).source), "client-double", 1)

    assert orders[0] == orders[1] != copied
    assert client.wait(copied).rows_ok == 1


def test_a_file_is_planned_as_it_is_worked(headrace, client, double, tmp_path):
    (tmp_path / "rows.csv").write_text("1,2\n" * 1000)

    planned = json.loads(
        headrace("plan", tmp_path / "rows.csv", "--model", "client-double", "--json").stdout
    )
    ended = client.wait(client.submit(tmp_path / "rows.csv", "client-double"))

    assert planned["rows"] == ended.rows_in == 1000
    assert planned["shards"] == ended.shards.total == ended.shards.done == 1


def test_what_was_given_up_is_counted_by_queue_and_put_back(client):
    assert [*client.redrive("webhooks")] == ["webhooks"]
    assert sorted(client.dead_letters()) == [
        "collected",
        "files",
        "hand-off",
        "models",
        "parquet-shards",
        "provision",
        "shards",
        "webhooks",
    ]


def _place(source):
    return source.removeprefix("s3://").split("/", 1)


def test_a_file_for_a_model_that_is_not_there_is_not_sent(headrace, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("[1, 2]\n")

    ended = headrace("submit", rows, "--model", "client-nowhere", "--wait")

    assert ended.exit_code == 1
    assert "Error: model 'client-nowhere' is not registered" in ended.stderr


def test_the_command_line_predicts(headrace, double):
    ended = headrace("predict", "client-double", "--version", "1", "--input", "[[1, 2]]")

    assert json.loads(ended.stdout) == {
        "model": "client-double",
        "version": "1",
        "outputs": {"y": [[2.0, 4.0]]},
    }


def test_a_classifier_answers_the_same_with_a_map_of_probabilities_and_with_a_tensor(client):
    images, labels = load_iris(return_X_y=True)
    images = images.astype(np.float32)
    model = LogisticRegression(max_iter=500).fit(images, labels)
    mapped = to_onnx(model, images[:1])
    plain = to_onnx(model, images[:1], options={"zipmap": False})
    client.publish(mapped.SerializeToString(), "client-mapped")
    client.publish(plain.SerializeToString(), "client-plain")

    of_map = list(client.predict("client-mapped", images).values())
    of_tensor = list(client.predict("client-plain", images).values())

    assert of_map[0].tolist() == of_tensor[0].tolist()
    assert np.array_equal(of_map[1], of_tensor[1])
    assert client.model("client-mapped").versions[0].outputs[1].labels == ("0", "1", "2")

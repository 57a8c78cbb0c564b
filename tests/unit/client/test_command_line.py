import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from headrace.command_line import main
from tests.unit.client.test_client_jobs import ENDED, JOB, signed
from tests.unit.client.test_client_predict import METADATA
from tests.unit.client.test_client_publish import EMPTY, GRAPH, READY, REFUSED


@pytest.fixture
def headrace(service, monkeypatch):
    monkeypatch.setenv("HEADRACE_URL", service.url)
    monkeypatch.delenv("HEADRACE_API_KEY", raising=False)

    def run(*words, input=None):  # noqa: A002 - click's own name for it
        return CliRunner().invoke(main, [str(word) for word in words], input=input)

    return run


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "digits.onnx"
    path.write_bytes(GRAPH)
    return path


@pytest.mark.parametrize("command", main.commands.values(), ids=lambda command: command.name)
def test_every_command_and_every_option_has_help(command):
    assert command.help
    assert [p.name for p in command.params if p.param_type_name == "option" and not p.help] == []


def test_help_needs_neither_numpy_nor_httpx():
    script = (
        "import sys, headrace.command_line as c\n"
        "try: c.main(['--help'])\n"
        "except SystemExit: print([m for m in ('numpy', 'httpx') if m in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout.splitlines()[-1] == "[]"


def test_without_a_service_it_says_how_to_name_one(monkeypatch):
    monkeypatch.delenv("HEADRACE_URL", raising=False)

    ended = CliRunner().invoke(main, ["models"])

    assert ended.exit_code == 2
    assert "Give --url, or set HEADRACE_URL" in ended.stderr


def test_publish_says_which_version_is_ready(headrace, service, model_file):
    service.answers("GET /models/digits", READY)

    ended = headrace("publish", model_file, "--name", "digits")

    assert (ended.exit_code, ended.stdout) == (0, "digits version 1 is ready (25 bytes)\n")


def test_publish_passes_the_choice_of_an_accelerator_on(headrace, service, model_file):
    chosen = {"accelerator": "gpu", "realtime": True, "tensorrt": True}
    made = READY["versions"][0] | {"acceleration": chosen, "version": 2}
    service.answers("GET /models/digits", READY | {"versions": [*READY["versions"], made]})
    flags = ("--accelerator", "gpu", "--realtime", "--tensorrt")

    ended = headrace("publish", model_file, "--name", "digits", *flags)

    assert ended.stdout == "digits version 2 is ready (25 bytes)\n"


def test_publish_knows_the_accelerators(headrace, model_file):
    ended = headrace("publish", model_file, "--name", "digits", "--accelerator", "tpu")

    assert ended.exit_code == 2
    assert "'tpu' is not one of 'auto', 'gpu', 'never'" in ended.stderr


def test_publish_says_why_a_model_is_refused(headrace, service, model_file):
    service.answers("GET /models/digits", REFUSED)

    ended = headrace("publish", model_file, "--name", "digits")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == "Error: the model keeps weights in another file: save it as one\n"


def test_an_error_of_the_service_is_its_sentence_and_no_traceback(headrace, service):
    service.answers(
        "GET /models/nope",
        {"error": "model 'nope' is not registered", "request_id": "r-1"},
        status=404,
    )

    ended = headrace("models", "nope")

    assert ended.exit_code == 1
    assert ended.stderr == "Error: model 'nope' is not registered (request r-1)\n"


def test_models_are_listed(headrace, service):
    listed = [{"name": "digits", "latest": 2}, {"name": "new", "latest": 0}]
    service.answers("GET /models", {"models": listed})

    assert headrace("models").stdout == "digits\tversion 2\nnew\tno version accepted\n"
    assert json.loads(headrace("models", "--json").stdout) == listed


def test_a_model_is_described(headrace, service):
    service.answers("GET /models/digits", READY | {"refusals": REFUSED["refusals"]})

    described = headrace("models", "digits").stdout

    assert "version 1  2026-11-23T00:00:00+00:00  25 bytes  X FP32[-1, 64] -> prob" in described
    assert "alias live -> version 1" in described
    assert "EXTERNAL_DATA: the model keeps weights" in described
    assert json.loads(headrace("models", "digits", "--json").stdout)["latest"] == 1


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, "CPU or GPU, 16,384 records a request"),
        (
            {"acceleration": {"accelerator": "gpu", "realtime": True, "tensorrt": False}},
            "GPU only, realtime, 16,384 records a request",
        ),
        (
            {"unfit_for_gpu": "input 'x' is text", "rows_at_once": None},
            "CPU only: input 'x' is text",
        ),
        (
            {
                "acceleration": {"accelerator": "never", "realtime": False, "tensorrt": False},
                "rows_at_once": None,
            },
            "CPU only, by choice",
        ),
    ],
)
def test_a_model_says_where_it_may_run(headrace, service, facts, shown):
    versions = [READY["versions"][0] | facts]
    service.answers("GET /models/digits", READY | {"versions": versions})

    assert headrace("models", "digits").stdout.splitlines()[1].endswith(shown)


@pytest.fixture
def digits(service):
    service.answers("GET /v2/models/digits", METADATA)
    outputs = [
        {"name": "label", "datatype": "INT64", "shape": [1], "data": [7]},
        {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["sieben"]},
    ]
    answer = {"model_name": "digits", "model_version": "1", "outputs": outputs}
    service.answers("POST /v2/models/digits/infer", answer)
    return service


@pytest.mark.parametrize("given", ["[[1, 2]]", ' {"X": [[1, 2]]}', "-", "x.json", "x.npy", "x.npz"])
def test_predict_takes_json_and_files_and_prints_json(headrace, digits, tmp_path, given):
    (tmp_path / "x.json").write_text("[[1, 2]]")
    np.save(tmp_path / "x.npy", np.array([[1, 2]], np.float32))
    np.savez(tmp_path / "x.npz", X=np.array([[1, 2]], np.float32))
    source = tmp_path / given if given.startswith("x.") else given

    ended = headrace("predict", "digits", "--input", source, input="[[1, 2]]")

    assert ended.exit_code == 0, ended.stderr
    assert json.loads(ended.stdout) == {
        "model": "digits",
        "version": "1",
        "outputs": {"label": [7], "text": ["sieben"]},
    }


@pytest.mark.parametrize(
    ("given", "why"),
    [("[1, 2", "is no JSON"), ("nowhere.json", "cannot be read"), ('[["1", 2]]', "got str")],
)
def test_predict_says_what_is_wrong_with_the_input(headrace, digits, given, why):
    ended = headrace("predict", "digits", "--input", given)

    assert ended.exit_code == 1
    assert why in ended.stderr
    assert "Traceback" not in ended.output


@pytest.fixture
def jobs(service, tmp_path):
    """A service that takes `rows.csv`, runs it as job j1 and leaves its results."""
    upload = {"url": f"{service.url}/storage", "fields": {}}
    service.answers("POST /jobs", {"upload": upload, "key": "k"}, status=201)
    service.answers("POST /jobs", {"job_id": "j1"})
    service.answers("POST /storage", status=204, body=b"")
    service.answers("GET /jobs/j1", JOB)
    service.answers("GET /jobs/j1", JOB | {"state": "running", "rows_in": 3, "rows_ok": 1})
    service.answers("GET /jobs/j1", ENDED)
    signed(service, "results", "results.csv", b"label\n7\n8\n")
    signed(service, "errors", "errors.jsonl", b"{}\n")
    signed(service, "manifest", "manifest.json", b"{}")
    (tmp_path / "rows.csv").write_text("1,2\n")
    return service


def test_submit_prints_the_job(headrace, jobs, tmp_path):
    ended = headrace("submit", tmp_path / "rows.csv", "--model", "digits")

    assert (ended.exit_code, ended.stdout) == (0, "j1\n")


def test_submit_waits_and_says_how_the_job_ended(headrace, jobs, tmp_path):
    ended = headrace("submit", tmp_path / "rows.csv", "--model", "digits", "--wait")

    assert (ended.exit_code, ended.stdout) == (0, "j1\n")
    assert "partial: 2 of 3 records answered, 1 failed" in ended.stderr


def test_submit_downloads_where_it_is_told_to(headrace, jobs, tmp_path):
    ended = headrace("submit", tmp_path / "rows.csv", "--model", "digits", "-o", tmp_path / "out")

    names = ("results.csv", "errors.jsonl", "manifest.json")
    assert ended.stdout.splitlines() == ["j1", *(str(tmp_path / "out" / name) for name in names)]
    assert (tmp_path / "out" / "results.csv").read_text() == "label\n7\n8\n"


def test_submit_fails_with_the_job(headrace, service, tmp_path):
    service.answers("POST /jobs", {"upload": {"url": f"{service.url}/s", "fields": {}}, "key": "k"})
    service.answers("POST /jobs", {"job_id": "j1"})
    service.answers("POST /s", status=204, body=b"")
    service.answers("GET /jobs/j1", JOB | {"state": "failed", "error": "the file is empty"})
    (tmp_path / "rows.csv").write_text("")

    ended = headrace("submit", tmp_path / "rows.csv", "--model", "digits", "--wait")

    assert ended.exit_code == 1
    assert "failed: the file is empty" in ended.stderr


def test_a_job_is_shown_as_json(headrace, service):
    service.answers("GET /jobs/j1", ENDED)

    assert json.loads(headrace("job", "j1").stdout)["rows_failed"] == 1


def test_results_are_downloaded(headrace, service, jobs, tmp_path):
    ended = headrace("results", "j1", "-o", tmp_path / "out")

    assert ended.exit_code == 0
    assert (tmp_path / "out" / "manifest.json").read_text() == "{}"


def test_publish_can_go_on_without_the_verdict(headrace, service, model_file):
    service.answers("GET /models/digits", EMPTY)
    upload = {"url": f"{service.url}/storage", "fields": {}}
    service.answers("POST /models/digits/versions", {"upload": upload, "key": "k"}, status=201)
    service.answers("POST /storage", status=204, body=b"")

    ended = headrace("publish", model_file, "--name", "digits", "--no-wait")

    assert (ended.exit_code, ended.stdout) == (
        0,
        "digits: sent; `headrace models digits` shows the verdict\n",
    )

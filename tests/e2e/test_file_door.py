"""Files dropped in the inbox of a running cloud come back as results."""

import json

import httpx
import pytest

from tests import onnx_models
from tests.e2e.conftest import Cloud, eventually

CSV = b"a,b,c,d\n1,2,3,4\n1,2,x,4\n0,0,0,1\n"


@pytest.fixture(scope="module")
def model(cloud: Cloud) -> str:
    """`rows`: y[j] = sum(x[i] * (i - j)) + j over four features, three outputs."""
    cloud.s3.put_object(
        Bucket=cloud.env["HEADRACE_MODELS_BUCKET"],
        Key="models/rows/linear.onnx",
        Body=onnx_models.linear(),
    )
    ready = f"{cloud.url}/v2/models/rows/ready"
    eventually(
        lambda: httpx.get(ready, headers=cloud.credential).status_code == 200,
        within_s=60,
        what="the model is ready",
    )
    return "rows"


def results(cloud: Cloud, prefix: str) -> dict[str, bytes]:
    """Return the files of a job whose manifest stands, by name; nothing before."""
    bucket = cloud.env["HEADRACE_RESULTS_BUCKET"]
    listed = cloud.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    files = {
        entry["Key"].rsplit("/", 1)[-1]: cloud.s3.get_object(Bucket=bucket, Key=entry["Key"])[
            "Body"
        ].read()
        for entry in listed
    }
    return files if "manifest.json" in files else {}


@pytest.mark.parametrize(
    ("key", "body", "name", "expected"),
    [
        (
            "inbox/rows/a b+c%20/é.csv",
            CSV,
            "results.csv",
            b"a,b,c,d,y_0,y_1,y_2\n1,2,3,4,20.0,11.0,2.0\n0,0,0,1,3.0,3.0,3.0\n",
        ),
        (
            "rows@1/lines.jsonl",
            b'[1,2,3,4]\n[1,2,"x",4]\n{"x":[0,0,0,1]}\n',
            "results.jsonl",
            b'{"input":[1,2,3,4],"y":[20.0,11.0,2.0]}\n{"x":[0,0,0,1],"y":[3.0,3.0,3.0]}\n',
        ),
    ],
)
def test_a_dropped_file_comes_back_with_every_record(
    cloud: Cloud, model: str, key: str, body: bytes, name: str, expected: bytes
) -> None:
    cloud.s3.put_object(Bucket=cloud.env["HEADRACE_INBOX_BUCKET"], Key=key, Body=body)

    files = eventually(
        lambda: results(cloud, key.removeprefix("inbox/")), within_s=60, what="the job ended"
    )

    assert files[name] == expected
    assert json.loads(files["errors.jsonl"])["row"] == 2
    manifest = json.loads(files["manifest.json"])
    job = httpx.get(f"{cloud.url}/jobs/{manifest['job_id']}", headers=cloud.credential).json()
    assert (job["state"], job["rows_in"], job["rows_ok"], job["rows_failed"]) == (
        "partial",
        3,
        2,
        1,
    )
    assert job["input"]["key"] == key


def test_a_file_for_no_model_comes_back_with_a_sentence(cloud: Cloud) -> None:
    inbox = cloud.env["HEADRACE_INBOX_BUCKET"]
    cloud.s3.put_object(Bucket=inbox, Key="nobody/rows.csv", Body=CSV)

    files = eventually(
        lambda: results(cloud, "nobody/rows.csv/"), within_s=60, what="the job ended"
    )

    assert json.loads(files["manifest.json"])["error"] == "model 'nobody' is not registered"

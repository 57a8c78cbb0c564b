"""The local cloud with this repository's template: how it starts, what it says, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import ROOT, Cloud, eventually, read_env, start_cloud


def test_calls_reach_the_functions_that_the_template_names(cloud: Cloud) -> None:
    answer = httpx.get(f"{cloud.url}/v2/health/live")

    assert answer.status_code == 200


def test_the_key_of_this_machine_opens_the_doors(cloud: Cloud) -> None:
    key = {"x-api-key": cloud.env["HEADRACE_API_KEY"]}

    with_key = httpx.get(f"{cloud.url}/v2/models", headers=key)
    without = httpx.get(f"{cloud.url}/v2/models")
    wrong = httpx.get(f"{cloud.url}/v2/models", headers={"x-api-key": key["x-api-key"][:-1] + "_"})

    assert with_key.status_code == 200
    assert (without.status_code, wrong.status_code) == (401, 401)
    said, also_said = without.json(), wrong.json()
    assert said.pop("request_id") != also_said.pop("request_id")
    assert said == also_said


def test_the_env_file_is_enough_to_work_with_the_buckets(cloud: Cloud) -> None:
    assert set(cloud.env) == {
        "HEADRACE_URL",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "HEADRACE_MODELS_BUCKET",
        "HEADRACE_INBOX_BUCKET",
        "HEADRACE_RESULTS_BUCKET",
        "HEADRACE_API_KEY",
    }
    for bucket in ("MODELS", "INBOX", "RESULTS"):
        name = cloud.env[f"HEADRACE_{bucket}_BUCKET"]
        assert cloud.s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"


def test_what_it_prints_can_be_sourced(cloud: Cloud) -> None:
    printed = cloud.output.read_text()

    assert (cloud.home / "env").read_text() in printed
    assert "# Ready in " in printed


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_is_ready_in_seconds_and_stops_when_told(
    cloud: Cloud, tmp_path: Path, how: signal.Signals
) -> None:
    # Beside the one of the session, whose start has filled the cache.
    second = start_cloud(tmp_path / "home")
    printed = eventually(
        lambda: "Ready in" in (text := second.output.read_text()) and text,
        within_s=2,
        what="it says that it is ready",
    )
    url = second.url
    status = httpx.get(f"{url}/v2/health/live").status_code

    stopped = second.stop(how)

    assert status == 200
    assert url != cloud.url
    assert stopped == 0
    assert not (second.home / "env").exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    # 5 s on a machine that does nothing else; this one runs tests.
    assert float(printed.partition("Ready in ")[2].split()[0]) < 10


def test_a_port_in_use_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run(PORT=str(port), HEADRACE_HOME=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == f"Port {port} is in use. Choose another with PORT=, or 0 for any.\n"
    assert not (tmp_path / "env").exists()


def test_a_port_that_is_none_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = _run(PORT="http", HEADRACE_HOME=str(tmp_path))

    assert (done.returncode, done.stderr) == (1, "PORT must be a number from 0 to 65535.\n")


def test_a_template_that_cannot_be_deployed_is_said_in_a_sentence(tmp_path: Path) -> None:
    without = {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"RouteKey": "GET /"}}
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Bad.json"}}
    template = {"Resources": {"Route": without}}
    (tmp_path / "Bad.json").write_text(json.dumps(template))
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Bad": stack}}))

    done = _run(PORT="0", HEADRACE_HOME=str(tmp_path / "home"), HEADRACE_ASSEMBLY=str(tmp_path))

    said = "The template could not be deployed: Bad: moto failed; its log says why.\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert "ApiId" in (tmp_path / "home" / "logs" / "moto.log").read_text()


def test_a_home_in_use_is_left_to_the_cloud_that_uses_it(cloud: Cloud) -> None:
    done = _run(PORT="0", HEADRACE_HOME=str(cloud.home))

    assert done.returncode == 1
    assert str(cloud.home) in done.stderr
    assert read_env(cloud.home / "env") == cloud.env


def _run(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

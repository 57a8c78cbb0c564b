"""Functions in the local cloud live within Lambda's limits, and die of them as they would there."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Cloud, alive, eventually, start_cloud

Order = Callable[..., httpx.Response]


@pytest.fixture
def order(probe: Cloud) -> Order:
    """Tell the function `probe` what to do, and return the HTTP answer."""

    def send(what: str, *, path: str = "/probe", **details: Any) -> httpx.Response:
        return httpx.post(f"{probe.url}{path}", json={"do": what} | details, timeout=30)

    return send


def test_a_function_has_its_own_environment_and_nothing_of_the_shell(
    order: Order, probe: Cloud, probe_sources: Path
) -> None:
    seen = order("environment").json()

    environ = seen["environ"]
    assert environ["MINE"] == "1"
    assert "SECRET_OF_MINE" not in environ
    assert environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environ["LAMBDA_TASK_ROOT"] == str(probe_sources / "probe")
    assert environ["_HANDLER"] == "handler.lambda_handler"
    assert environ["AWS_ENDPOINT_URL"] == probe.env["AWS_ENDPOINT_URL"]
    assert environ["TZ"] == ":UTC"
    assert seen["path"][0] == str(probe_sources / "probe")
    assert str(Path.cwd()) not in seen["path"]
    assert seen["tmp"].startswith(str(probe.home / "tmp"))
    assert 1_000 < seen["left_ms"] <= 2_000
    assert int(seen["memory_mb"]) == 256


def test_a_call_beyond_its_time_ends_the_process(order: Order, probe: Cloud) -> None:
    before = order("environment").json()["pid"]

    answer = order("sleep", s=5)

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal Server Error"})
    assert answer.elapsed.total_seconds() < 3.5
    assert "Task timed out after 2.00 seconds" in probe.log("probe")
    assert not alive(before)


def test_a_call_beyond_its_memory_ends_the_process(order: Order, probe: Cloud) -> None:
    assert order("hold", mb=100).json() == {"held": 100 << 20}

    answer = order("hold", mb=400)

    assert answer.status_code == 502
    assert "Runtime.OutOfMemory" in probe.log("probe")
    assert order("environment").status_code == 200


def test_a_process_that_dies_costs_its_own_call_alone(order: Order, probe: Cloud) -> None:
    answer = order("die", signal=int(signal.SIGFPE))

    assert answer.status_code == 502
    assert "signal: floating point exception" in probe.log("probe")
    assert order("environment").status_code == 200


def test_an_error_of_the_function_is_a_502(order: Order, probe: Cloud) -> None:
    answer = order("fail")

    assert (answer.status_code, answer.json()) == (502, {"message": "Internal Server Error"})
    assert "ValueError: as ordered" in probe.log("probe")


def test_the_gateway_gives_up_before_the_function_does(order: Order) -> None:
    answer = order("sleep", path="/impatient", s=1)

    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    assert answer.elapsed.total_seconds() < 0.95


def test_a_request_above_10_mb_is_refused_by_the_gateway(probe: Cloud) -> None:
    answer = httpx.post(f"{probe.url}/any", content=b"x" * ((10 << 20) + 1), timeout=30)

    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_an_event_above_6_mb_is_refused_by_lambda(probe: Cloud) -> None:
    # Five megabytes, which base64 makes seven.
    answer = httpx.post(f"{probe.url}/any", content=b"x" * (5 << 20), timeout=30)

    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_an_answer_above_6_mb_is_a_failure(order: Order, probe: Cloud) -> None:
    assert len(order("big", bytes=6_000_000).content) == 6_000_000

    answer = order("big", bytes=6_300_000)

    assert answer.status_code == 502
    assert "Function.ResponseSizeTooLarge" in probe.log("probe")


def test_an_edited_handler_answers_the_next_call(order: Order, probe_sources: Path) -> None:
    handler = probe_sources / "probe" / "handler.py"
    before = handler.read_text()
    try:
        for word in ("one", "two"):
            handler.write_text(f"def lambda_handler(event, context):\n    return '{word}'\n")
            assert order("environment").text == word
        handler.write_text("import nothing_of_that_name\n")
        assert order("environment").status_code == 502
    finally:
        handler.write_text(before)

    assert order("environment").json()["environ"]["MINE"] == "1"


def test_calls_at_a_time_run_in_processes_of_their_own(order: Order, probe: Cloud) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: order("sleep", s=1).json()["pid"], range(3)))

    assert len(set(answers)) == 3


@pytest.mark.parametrize(
    ("held_mb", "said"), [(400, "Runtime.OutOfMemory"), (0, "Sandbox.Timedout")]
)
def test_what_a_function_started_counts_and_ends_with_it(
    order: Order, probe: Cloud, tmp_path: Path, held_mb: int, said: str
) -> None:
    before = probe.log("probe").count(said)

    answer = order("lone_child", mb=held_mb, s=5, told=str(tmp_path / "child"))

    assert answer.status_code == 502
    assert probe.log("probe").count(said) == before + 1
    assert not alive(int((tmp_path / "child").read_text()))


def test_kill_9_leaves_no_process_and_no_env_file(probe_sources: Path, tmp_path: Path) -> None:
    assembly = probe_sources / "assembly"
    cloud = start_cloud(tmp_path / "home", HEADRACE_ASSEMBLY=str(assembly))
    answers = [
        httpx.post(f"{cloud.url}/probe", json={"do": what, "s": 0.5}).json()
        for what in ("child", "lone_child")
    ]
    children = {answer["child"] for answer in answers}
    assert all(map(alive, children))
    family = cloud.family()

    os.kill(cloud.process.pid, signal.SIGKILL)
    cloud.process.wait()

    assert children <= set(family)
    eventually(lambda: not any(map(alive, family)), within_s=5, what="no process is left")
    assert not (cloud.home / "env").exists()
    assert not (cloud.home / "tmp").exists()


def test_what_a_function_prints_is_in_its_log_group(order: Order, probe: Cloud) -> None:
    order("fail")
    logs = probe.client("logs")

    def messages() -> list[str]:
        groups = [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]]
        return [
            event["message"]
            for group in groups
            if "Probe-Probe-" in group
            for event in logs.filter_log_events(logGroupName=group)["events"]
        ]

    eventually(
        lambda: any("ValueError: as ordered" in one for one in messages()),
        within_s=5,
        what="the error is in the log group",
    )
    assert any(one.startswith("REPORT RequestId: ") for one in messages())


def test_a_package_that_no_layer_holds_cannot_be_imported(order: Order) -> None:
    assert order("imports", module="boto3").json() == {"imported": True}
    assert order("imports", module="numpy").json() == {"imported": False}
    assert order("imports", module="infra").json() == {"imported": False}

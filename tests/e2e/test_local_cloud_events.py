"""Events of our own and the clock wake functions in the local cloud, as EventBridge does."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Cloud, eventually, start_cloud

Told = Callable[..., None]


@pytest.fixture
def tell(probe: Cloud) -> Told:
    """Put an event of ours on the default bus."""

    def put(kind: str = "Job Ended", **detail: Any) -> None:
        entry = {"Source": "headrace", "DetailType": kind, "Detail": json.dumps(detail)}
        answer = probe.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    return put


def test_an_event_of_ours_reaches_the_queue_of_the_rule_that_it_is_for(
    tell: Told, probe_sources: Path
) -> None:
    tell(job_id="1")
    tell("Job Began", job_id="2", webhook="https://a.example")
    tell(job_id="3", webhook="https://a.example")

    def jobs() -> list[str]:
        records = [
            json.loads(path.read_text()) for path in (probe_sources / "delivered").glob("*.json")
        ]
        return [r["body"] for r in records if '"source": "headrace"' in r["body"]]

    (body,) = eventually(jobs, within_s=10, what="the event is delivered")
    event = json.loads(body)
    assert event["detail"] == {"job_id": "3", "webhook": "https://a.example"}
    assert (event["source"], event["detail-type"]) == ("headrace", "Job Ended")
    assert datetime.fromisoformat(event["time"])


def test_the_clock_wakes_a_function_again_and_again(probe_sources: Path, tmp_path: Path) -> None:
    ticks = probe_sources / "ticks"
    cloud = start_cloud(
        tmp_path / "home",
        HEADRACE_ASSEMBLY=str(probe_sources / "assembly"),
        HEADRACE_SCHEDULES_S="0.3",
    )
    try:
        eventually(
            lambda: len(list(ticks.glob("*.json"))) >= 3, within_s=10, what="it is called thrice"
        )
    finally:
        assert cloud.stop() == 0

    event = json.loads(next(ticks.glob("*.json")).read_text())
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["resources"][0].startswith("arn:aws:events:eu-west-1:123456789012:rule/")
    assert event["detail"] == {}


@pytest.mark.parametrize(
    ("schedule", "retries", "said"),
    [
        ("cron(0 12 * * ? *)", 0, "cron(0 12 * * ? *) is not played, only rate(...)."),
        ("rate(5 minutes)", 2, "its function would be called again where it fails"),
    ],
)
def test_a_schedule_that_is_not_played_is_said_in_a_sentence(
    probe_sources: Path, tmp_path: Path, schedule: str, retries: int, said: str
) -> None:
    assembly = tmp_path / "assembly"
    assembly.mkdir()
    for file in (probe_sources / "assembly").iterdir():
        text = file.read_text().replace("rate(2 hours)", schedule)
        text = text.replace('"MaximumRetryAttempts": 0', f'"MaximumRetryAttempts": {retries}')
        (assembly / file.name).write_text(text)

    done = subprocess.run(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env={"PORT": "0", "HEADRACE_HOME": str(tmp_path), "HEADRACE_ASSEMBLY": str(assembly)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("The template has a schedule that cannot be played: ")
    assert said in done.stderr

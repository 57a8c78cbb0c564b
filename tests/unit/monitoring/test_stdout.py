"""A log that takes nothing fails nobody's work."""

import errno
import json
import os
import subprocess
import sys

import pytest

from headrace_runtime.monitoring import stdout
from tests.conftest import ROOT


def test_a_line_is_printed_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    stdout.write(b'{"a":1}\n')

    assert capfd.readouterr().out == '{"a":1}\n'


@pytest.mark.fault("F41")
def test_a_full_disk_is_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)

    stdout.write(b"{}\n")


def test_a_light_watch_prints_what_every_other_prints(capfd: pytest.CaptureFixture[str]) -> None:
    for light in (False, True):
        with stdout.watch("authorise", {}, light=light).begin("r") as invocation:
            invocation.ids["request_id"] = 'a"\n\u2028é'
            invocation.refused("Errors", "UNAUTHENTICATED")

    one, other = map(json.loads, capfd.readouterr().out.rstrip().split("\n"))
    assert one["_aws"]["CloudWatchMetrics"] == other["_aws"]["CloudWatchMetrics"]
    assert list(one) == list(other)
    assert one["request_id"] == other["request_id"] == 'a"\n\u2028é'


@pytest.mark.fault("F41")
@pytest.mark.parametrize("broken", ["closed", "reader gone"])
def test_a_broken_standard_output_is_let_pass(broken: str) -> None:
    break_it = (
        "os.close(1)" if broken == "closed" else "r, w = os.pipe(); os.close(r); os.dup2(w, 1)"
    )
    code = (
        f"import os; {break_it}\n"
        "from headrace_runtime.monitoring.stdout import watch\n"
        "with watch('predict', {}).begin('1'): answer = 'answered'\n"
        "os.write(2, answer.encode())"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, check=True
    )

    assert ended.stderr == b"answered"

"""What the limited child can do to us, tried for real: nothing."""

import os
import time
from pathlib import Path

import pytest

from headrace_runtime.errors import ModelRefused, Unavailable
from headrace_runtime.validation import limited_process
from headrace_runtime.validation.limited_process import End, Ended, Limits


def _run(way: str, **changed) -> Ended:
    limits = Limits(**{"timeout_s": 10, "memory_bytes": 1 << 30} | changed)
    return limited_process.run("tests.unit.validation.misbehaving", {"way": way}, limits)


def test_a_refusal_comes_through():
    with pytest.raises(ModelRefused, match="a reason: some advice") as refused:
        _run("refuse")
    assert refused.value.rule == "A_RULE"


def test_what_a_library_prints_is_not_taken_for_the_answer():
    assert _run("print").answer == {"said": "this"}


def test_the_child_sees_no_environment_no_folder_and_no_file_of_ours(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    seen = _run("see").answer
    assert set(seen.pop("environment")) <= {
        "LC_CTYPE",
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "PATH",
    }
    assert seen.pop("files") <= 5  # 0, 1, 2, the answer's pipe, the folder being listed
    assert seen == {"folder": "/", "session": True}


def test_the_child_writes_no_file():
    assert _run("write a file").answer == {"error": "File too large"}


def test_the_child_opens_few_files():
    assert _run("open many").answer["error"] == "Too many open files"


def test_the_child_takes_no_more_memory_than_its_limit():
    assert _run("allocate").end is End.OUT_OF_MEMORY


def test_a_child_that_burns_cpu_is_stopped_by_name():
    ended = _run("burn", timeout_s=60, cpu_s=1)
    assert ended == Ended(None, ("ready", "loaded"), End.TIMED_OUT, "SIGXCPU")


def test_a_child_that_got_no_cpu_says_nothing_about_the_model():
    started = time.monotonic()
    with pytest.raises(Unavailable):
        _run("sleep", timeout_s=1)
    assert time.monotonic() - started < 10


def test_a_crash_is_named():
    ended = _run("crash")
    assert (ended.end, ended.signal_name) == (End.CRASHED, "SIGSEGV")


def test_a_bug_of_ours_refuses_no_model():
    with pytest.raises(Unavailable):
        _run("break")


def test_a_child_that_cannot_start_refuses_no_model():
    with pytest.raises(Unavailable):
        limited_process.run("no.such.module", {}, Limits(5, 1 << 30))


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root cannot even start one")
def test_whom_the_child_started_dies_with_it():
    pid = _run("leave someone behind").answer["pid"]
    time.sleep(0.2)
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"

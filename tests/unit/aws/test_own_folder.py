"""A process's own folder on the disk: gone with the process, however that ended."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from headrace_runtime.aws.own_folder import own_folder
from tests.conftest import ROOT

KILLED = """
import os, signal
from headrace_runtime.aws.own_folder import own_folder
with own_folder("model") as folder:
    (folder / "weights").write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_folder_is_gone_after_its_use(disk: Path) -> None:
    with own_folder("a") as folder:
        (folder / "file").write_text("x")
        assert folder.parent == disk

    assert list(disk.iterdir()) == []


@pytest.mark.fault("F26")
def test_what_a_killed_process_left_is_removed_by_the_next(disk: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, check=False)
    assert [path.name for path in disk.rglob("*") if path.is_file()] == ["weights"]

    with own_folder("b") as folder:
        assert list(disk.iterdir()) == [folder]


def test_what_is_in_use_or_not_ours_stays(disk: Path) -> None:
    (disk / "headrace-other").mkdir()
    (disk / "headrace-own-file").write_text("no folder")

    with own_folder("a") as first, own_folder("b") as second:
        assert first.exists()
        assert second.exists()

    assert sorted(path.name for path in disk.iterdir()) == ["headrace-other", "headrace-own-file"]

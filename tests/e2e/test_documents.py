"""What the documents tell a reader to type does what they say."""

import os
import re
import subprocess

import pytest

from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _script(text: str) -> str:
    """All blocks of a document as one shell script, in order, as a reader would run them."""
    steps = []
    for language, block in BLOCK.findall(text):
        steps.append(block if language == "sh" else f"python - <<'PYTHON'\n{block}\nPYTHON\n")
    return "set -euo pipefail\n" + "\n".join(steps)


@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if BLOCK.search(path.read_text())],
    ids=lambda path: path.name,
)
def test_every_block_of_a_document_runs(document, cloud, tmp_path):
    (tmp_path / ".headrace").symlink_to(cloud.home)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")

    done = subprocess.run(
        ["bash", "-c", _script(document.read_text())],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for promised in re.findall(r"^\s*# prints: (.*)$", document.read_text(), re.MULTILINE):
        assert promised in done.stdout


def test_the_readme_begins_with_what_headrace_is_and_the_two_commands():
    text = (ROOT / "README.md").read_text()

    screen = text.splitlines()[:12]
    assert screen[0] == "# Headrace"
    assert any(line.startswith("    make demo") for line in screen)
    assert any(line.startswith("    make test") for line in screen)


def test_every_folder_and_document_that_the_readme_names_is_there():
    text = (ROOT / "README.md").read_text()

    named = re.findall(r"\]\((docs/[^)]*)\)", text) + re.findall(
        r"^\| `([^`]+)` \|", text, re.MULTILINE
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_test_that_a_document_names_is_there():
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = {name for path in DOCUMENTS for name in re.findall(r"`(test_\w+)`", path.read_text())}

    assert sorted(name for name in named if f"def {name}(" not in tests) == []


def test_every_make_target_is_there():
    makefile = (ROOT / "Makefile").read_text()

    for target in ("demo", "up", "test", "test-long", "check", "bench", "synth", "layers", "clean"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target

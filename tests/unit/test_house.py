"""Rules of the house that a machine can see."""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

FUNCTIONS = (
    "authorise",
    "batch",
    "batch_parquet",
    "collect",
    "grant",
    "hand_off",
    "intake",
    "manage",
    "notify",
    "observe",
    "predict",
    "provision",
    "redrive",
    "register",
    "submit",
    "sweep",
)
NAMELESS = re.compile(r"(utils?|helpers?|common|shared|misc|base|core|constants|manager|service)")
SOURCES = [
    path
    for folder in ("functions", "layers/runtime", "infra", "client")
    for path in (ROOT / folder).rglob("*.py")
]


def _tests_text() -> str:
    return "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_at_most_250_lines_and_named_for_what_it_holds(path):
    assert len(path.read_text().splitlines()) <= 250
    assert NAMELESS.fullmatch(path.stem) is None


def test_half_of_the_modules_are_at_most_90_lines():
    lengths = sorted(
        len(path.read_text().splitlines()) for path in SOURCES if path.name != "__init__.py"
    )

    assert lengths[len(lengths) // 2] <= 90


def _lines_of_code(tree: ast.Module) -> int:
    """Lines that say what is done: no imports, docstrings, comments or blank lines."""
    bodies = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]
    for node in bodies:
        if ast.get_docstring(node):
            node.body = node.body[1:]
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return len(ast.unparse(tree).replace("\n\n", "\n").splitlines())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_thin_and_ends_with_its_entry(function):
    tree = ast.parse((ROOT / "functions" / function / "handler.py").read_text())

    last = tree.body[-1]
    assert isinstance(last, ast.FunctionDef)
    assert last.name == "lambda_handler"
    assert _lines_of_code(tree) <= 60


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_sample_event(function):
    assert list((ROOT / "events").glob(f"{function}.*.json"))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "events").glob("*.json")), ids=lambda path: path.stem
)
def test_every_sample_event_is_of_a_function_and_used_by_a_test(path):
    function, case = path.stem.split(".")
    assert function in FUNCTIONS
    assert re.search(rf'"({function}\.)?{case}"', _tests_text())


@pytest.mark.parametrize(
    "room", ["access", "model", "codec", "inference", "batch", "validation", "aws"]
)
def test_the_init_file_of_a_room_is_empty(room):
    init = ROOT / "layers/runtime/python/headrace_runtime" / room / "__init__.py"

    assert not init.read_text()


def test_nothing_that_serves_can_load_a_pickle():
    imports = re.compile(
        r"^\s*(import|from) (pickle|joblib|dill|marshal)\b|allow_pickle=True", re.MULTILINE
    )

    guilty = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if not path.is_relative_to(ROOT / "infra") and imports.search(path.read_text())
    ]

    assert guilty == []


def test_no_model_chooses_how_it_is_loaded_or_brings_code():
    sources = {path: path.read_text() for path in SOURCES}

    for text in sources.values():
        assert not re.search(
            r"ORT_LOAD_CONFIG_FROM_MODEL|register_custom_ops|max_output_size", text
        )
    # With a fallback ONNX Runtime prints to the log and loads again, whatever is wrong.
    loads = [text for text in sources.values() if ".InferenceSession(" in text]
    assert len(loads) == 3
    assert all(text.count("enable_fallback=0") == 1 for text in loads)


def _tracked() -> list[Path]:
    folders = ("functions", "layers", "infra", "client", "tests", "docs", "requirements", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in files if path.suffix in {".py", ".md", ".txt", ".toml", ".json"}]


def test_no_file_names_a_package_registry():
    host = re.compile(
        r"https?://[^\s\"]+/(simple|packages)/|--(extra-)?index-url|registry\.npmjs|pypi\.org"
    )

    guilty = [
        str(path.relative_to(ROOT))
        for path in _tracked()
        if path != Path(__file__).resolve() and host.search(path.read_text())
    ]

    assert guilty == []

"""Every row of docs/faults.md that Headrace answers for has a test, and the page tells which."""

import ast
import re
from functools import cache

import pytest

from tests.conftest import ROOT

# Rows of the table that hold for files and jobs; the others are of calls and models.
ROWS = [f"F{number}" for number in (*range(1, 29), 33, 34, 35, 36, 41, 42)]
PAGE = ROOT / "docs/faults.md"


@cache
def marked() -> dict[str, set[str]]:
    """Return the rows that each test is marked with, by `<file>::<test>`."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = path.relative_to(ROOT / "tests")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                rows = {row for mark in node.decorator_list for row in _rows(mark)}
                marks = {ast.unparse(mark) for mark in node.decorator_list}
                if rows and "pytest.mark.long" not in marks:
                    found[f"{where}::{node.name}"] = rows
    return found


def _rows(mark: ast.expr) -> list[str]:
    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault":
        return [ast.literal_eval(argument) for argument in mark.args]
    return []


@cache
def told() -> dict[str, set[str]]:
    """Return the tests that the page names, by row."""
    lines = re.findall(r"^\| (F\d+) \|(.*)$", PAGE.read_text(), re.MULTILINE)
    return {row: set(re.findall(r"`([\w/]+\.py::\w+)`", rest)) for row, rest in lines}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test_that_runs_each_time(row: str) -> None:
    tests = [test for test, rows in marked().items() if row in rows]

    assert tests


def test_no_test_is_marked_with_a_row_that_there_is_not() -> None:
    assert {row for rows in marked().values() for row in rows} <= set(ROWS)


def test_the_page_has_each_row_once_in_order() -> None:
    assert re.findall(r"^\| (F\d+) \|", PAGE.read_text(), re.MULTILINE) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_the_page_names_tests_that_there_are_and_that_hold_the_row(row: str) -> None:
    assert told()[row]
    for test in told()[row]:
        assert row in marked().get(test, set()), test


@pytest.mark.fault("F16", "F18", "F19")
def test_nothing_of_powertools_stands_between_an_event_and_its_work() -> None:
    """Its idempotency keeps answers in a table, one layer a process, and lets a missing key pass.

    What Headrace does twice has one effect by the names of what it writes and by conditions on it.
    """
    sources = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/runtime").rglob("*.py")]

    imported = {
        module
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [name.name for name in node.names]
        )
    }

    assert "aws_lambda_powertools.utilities.batch" in imported
    assert not [
        name for name in imported if name.startswith("aws_lambda_powertools") and "idem" in name
    ]

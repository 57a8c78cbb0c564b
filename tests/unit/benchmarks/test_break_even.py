"""From where on a GPU is worth it, as the page on performance says."""

import pytest

from tests.benchmarks.break_even import cheaper, faster, here, markdown, rows_of_an_hour, there
from tests.conftest import ROOT


def test_the_page_has_the_tables_as_they_are_reckoned():
    page = (ROOT / "docs/performance.md").read_text()

    for table in markdown().split("\n\n"):
        assert table in page


@pytest.mark.parametrize("instance", ["ml.g6.xlarge", "ml.g5.xlarge"])
def test_a_gpu_pays_from_where_the_table_says(instance):
    first, last = cheaper(10.0, instance)

    assert there(first, 10.0, instance).cost_usd < here(first, 10.0, 10).cost_usd
    assert there(first // 2, 10.0, instance).cost_usd > here(first // 2, 10.0, 10).cost_usd
    assert last > 10**10


def test_reading_alone_is_never_worth_a_gpu():
    assert cheaper(0.001, "ml.g5.xlarge") is None
    assert faster(0.001, "ml.g5.xlarge", 10) is None


def test_a_hundred_functions_end_before_one_gpu():
    assert faster(10.0, "ml.g5.xlarge", 100) is None


def test_ten_functions_end_before_one_gpu_wakes_where_there_is_little_to_do():
    first, last = faster(10.0, "ml.g5.xlarge", 10)

    assert first == pytest.approx(484e3, rel=0.05)  # 4,840 s, in shards of a minute
    assert last > 10**10


def test_an_hour_is_an_hour():
    assert here(rows_of_an_hour(1.0), 1.0, 10).seconds == pytest.approx(3600, rel=0.02)

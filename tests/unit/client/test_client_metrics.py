"""How the service fared, through the SDK and the command line."""

import json

import pytest
from click.testing import CliRunner

from headrace import Spread
from headrace.command_line import main

TIMES = {"average": 12.34, "maximum": 1250.0, "p50": 11.0, "p99": None}
ANSWER = {
    "since": "2026-11-23T09:00:00+00:00",
    "until": "2026-11-23T10:00:00+00:00",
    "functions": [
        {
            "function": "predict",
            "requests": 1204,
            "errors": 3,
            "cold_starts": 2,
            "rows_in": 2400,
            "estimated_cost_usd": 0.000412,
            "latency_ms": TIMES,
        },
        {"function": "batch", "estimated_cost_usd": 0.01, "jobs_succeeded": 1},
    ],
    "versions": [
        {"function": "predict", "model": "wine", "version": "2", "requests": 7, "latency_ms": TIMES}
    ],
    "codes": [{"function": "predict", "code": "SHAPE_MISMATCH", "errors": 3}],
}


@pytest.fixture
def headrace(service, monkeypatch):
    monkeypatch.setenv("HEADRACE_URL", service.url)
    monkeypatch.delenv("HEADRACE_API_KEY", raising=False)
    return lambda *words: CliRunner().invoke(main, ["metrics", *words])


def test_metrics_are_figures_of_functions_versions_and_codes(service, client):
    service.answers("GET /metrics?since_s=3600", ANSWER)

    found = client.metrics()

    predict, batch = found.functions
    assert (predict.function, predict.model, predict.totals["requests"]) == ("predict", None, 1204)
    assert predict.times["latency_ms"] == Spread(12.34, 1250.0, 11.0, None)
    assert batch.totals == {"estimated_cost_usd": 0.01, "jobs_succeeded": 1}
    assert [(v.model, v.version) for v in found.versions] == [("wine", "2")]
    assert [(c.code, c.totals) for c in found.codes] == [("SHAPE_MISMATCH", {"errors": 3})]


def test_they_are_printed_as_a_table(service, headrace):
    service.answers("GET /metrics?since_s=900&model=wine", ANSWER)

    assert headrace("--since", "15m", "--model", "wine").output.splitlines() == [
        "2026-11-23T09:00:00 to 2026-11-23T10:00:00 UTC",
        "                requests  errors  p50 ms  p99 ms  mean ms   max ms  cold   rows  cost USD",
        "predict            1,204       3    11.0       -     12.3  1,250.0     2  2,400  0.000412",
        "batch                  -       0       -       -        -        -     0      -  0.010000",
        "predict wine 2         7       0    11.0       -     12.3  1,250.0     0      -         -",
        "predict  SHAPE_MISMATCH  3",
    ]


def test_they_are_printed_as_json(service, headrace):
    service.answers("GET /metrics?since_s=3600", ANSWER)

    printed = json.loads(headrace("--json").output)

    assert printed["versions"][0]["times"]["latency_ms"]["maximum"] == 1250.0


def test_where_nothing_was_called_it_says_so(service, headrace):
    nothing = ANSWER | {"functions": [], "versions": [], "codes": []}
    service.answers("GET /metrics?since_s=3600", nothing)

    assert headrace().output.splitlines()[1:] == ["nothing was called"]


@pytest.mark.parametrize("span", ["1", "h", "1.5h", "0m", "1w"])
def test_a_span_that_is_none_is_refused(span, headrace):
    ended = headrace("--since", span)

    assert ended.exit_code == 2
    assert "is no span: write 90s, 15m, 1h or 14d" in ended.stderr

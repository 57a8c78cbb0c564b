"""How the service fared, asked of a running cloud: lines that functions printed, as figures."""

import numpy as np
import pytest

from headrace import Client
from headrace.metrics import Figures
from tests import onnx_models
from tests.e2e.conftest import Cloud, eventually

MODEL = "counted"


@pytest.fixture(scope="module")
def figures(cloud: Cloud) -> tuple[Figures, ...]:
    """The figures of a model that answered twice, five rows in all."""
    with Client(cloud.url, api_key=cloud.env["HEADRACE_API_KEY"]) as client:
        client.publish(onnx_models.linear(), MODEL)
        client.predict(MODEL, {"x": np.ones((2, 4), np.float32)})
        client.predict(MODEL, {"x": np.ones((3, 4), np.float32)})

        def counted() -> tuple[Figures, ...] | None:
            found = client.metrics(MODEL).versions
            return found if found and found[0].totals.get("requests", 0) >= 2 else None

        return eventually(counted, within_s=20, what="the calls are counted")


def test_calls_of_a_model_are_counted_by_its_version(figures: tuple[Figures, ...]) -> None:
    (version,) = figures

    assert (version.function, version.model, version.version) == ("predict", MODEL, "1")
    assert (version.totals["requests"], version.totals["rows_in"]) == (2, 5)
    assert 0 < version.totals["estimated_cost_usd"] < 0.001


def test_the_parts_of_their_time_are_known_but_for_percentiles(
    figures: tuple[Figures, ...],
) -> None:
    latency = figures[0].times["latency_ms"]

    assert latency.average is not None
    assert latency.maximum is not None
    assert 0 < latency.average <= latency.maximum
    assert (latency.p50, latency.p99) == (None, None)
    assert {"route_ms", "decode_ms", "infer_ms", "encode_ms"} <= set(figures[0].times)


def test_functions_are_shown_to_an_admin(cloud: Cloud, figures: tuple[Figures, ...]) -> None:
    with Client(cloud.url, api_key=cloud.env["HEADRACE_API_KEY"]) as client:
        functions = {found.function: found for found in client.metrics().functions}

    assert functions["predict"].totals["cold_starts"] >= 1
    assert functions["register"].totals["accepted"] >= 1

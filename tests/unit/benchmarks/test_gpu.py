"""What `make bench` measures of hand-off works, and is told as it was measured."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from infra.local.triton.model_engine import why_not_triton
from tests.benchmarks.gpu import Case, Round, markdown, measured
from tests.benchmarks.gpu_files import SHAPE, convolutions, write

CASE = Case("CSV, 200 trees", "rows.csv", "trees", 1000, ">= 0.6")


def test_the_best_rounds_are_told_and_the_most_memory():
    rounds = [
        Round(1000, 0.1, 1.0, 0.15, client_s=0.25, triton_s=1.0, peaks_mb=(120.0, 131.0)),
        Round(1000, 0.2, 1.0, 0.05, client_s=0.2, triton_s=0.8, peaks_mb=(121.4, 130.0)),
        Round(1000, 0.3, 1.5, 0.5, client_s=0.5, triton_s=1.5, peaks_mb=(121.0, 130.0)),
    ]

    assert markdown({CASE: rounds}).splitlines()[2] == (
        "| CSV, 200 trees | 10,000/s | 1,000/s | 6,667/s | 800/s | 1,000/s | 0.80 | >= 0.6 "
        "| 121, 131 MB |"
    )


def test_images_are_answered_one_by_one(tmp_path: Path):
    write(tmp_path / "images.npy", 3)
    images = np.load(tmp_path / "images.npy")

    session = onnxruntime.InferenceSession(convolutions())

    assert images.shape == (3, *SHAPE)
    assert session.run(None, {"x": images})[0].shape == (3, 10)


@pytest.mark.long
@pytest.mark.skipif(bool(why_not_triton()), reason="Triton does not run here")
def test_a_file_goes_all_the_way_and_straight():
    case = Case("CSV, network", "rows.csv", "network", 2_000)

    found = measured([case])

    assert [one.records for one in found[case]] == [2_000] * 3
    assert all(min(one.stage_s, one.infer_s, one.collect_s) > 0 for one in found[case])
    assert all(min(one.client_s, one.triton_s) > 0 for one in found[case])

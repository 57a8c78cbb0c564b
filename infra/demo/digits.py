"""Handwritten digits: a classifier trained, and asked through both doors."""

import csv
import io
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from headrace import Client
from headrace_runtime.tensor import Array

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WARM_CALLS = 50
_LABEL = "output_label"  # as skl2onnx names a classifier's first output
_RESULTS_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Digits:
    """A model and images that it has never seen.

    Attributes:
        graph: the ONNX model, FP32[-1, 64] in, INT64[-1] and a map of probabilities each out.
        trained_on: images it learned from.
        images: held out, (images, 64), grey values 0-16.
        labels: what they show, (images,).
    """

    graph: bytes
    trained_on: int
    images: Array
    labels: Array

    def accuracy(self, labels: Array) -> float:
        """Return the share of held-out images that *labels* names right, 0-1."""
        return float(np.mean(labels == self.labels))

    def as_csv(self) -> bytes:
        """Return the images as a spreadsheet would: a header, then a row of pixels each."""
        text = io.StringIO()
        rows = csv.writer(text)
        rows.writerow(f"pixel{index}" for index in range(self.images.shape[1]))
        rows.writerows(self.images.astype(int).tolist())
        return text.getvalue().encode()


def trained() -> Digits:
    """Train a small network on three quarters of scikit-learn's digits."""
    images, labels = load_digits(return_X_y=True)
    images = images.astype(np.float32)
    seen, held_out, learned, truth = train_test_split(
        images, labels, test_size=0.25, random_state=0, stratify=labels
    )
    network = MLPClassifier((64,), max_iter=400, random_state=0)
    model = make_pipeline(MinMaxScaler(), network).fit(seen, learned)
    graph = to_onnx(model, seen[:1]).SerializeToString()
    return Digits(graph, len(seen), held_out, truth)


@dataclass(frozen=True, slots=True)
class Called:
    """What calls over HTTP gave: a label per image, and how long one image took."""

    labels: Array
    cold_ms: float
    warm_ms: float


def called(client: Client, digits: Digits) -> Called:
    """Ask for one image at a time, then for all of them at once."""
    one = digits.images[:1]
    cold_ms = _timed_ms(client, one)
    warm_ms = statistics.median(_timed_ms(client, one) for _ in range(WARM_CALLS))
    return Called(client.predict("digits", digits.images)[_LABEL], cold_ms, warm_ms)


def _timed_ms(client: Client, images: Array) -> float:
    began = time.perf_counter()
    client.predict("digits", images)
    return (time.perf_counter() - began) * 1000


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a dropped file gave.

    Attributes:
        labels: one per row, in the file's order.
        files: sizes in bytes of what lies in the results bucket, by key.
        first_lines: how the results begin, each line's last columns.
        took_s: from the drop to the manifest.
    """

    labels: Array
    files: dict[str, int]
    first_lines: list[str]
    took_s: float


def dropped(s3: "S3Client", inbox: str, results: str, digits: Digits) -> Dropped:
    """Drop the images as a CSV, as `aws s3 cp` would, and read what comes back.

    Raises:
        TimeoutError: there was no manifest in time.
    """
    began = time.monotonic()
    key = "digits/held-out.csv"
    s3.put_object(Bucket=inbox, Key=key, Body=digits.as_csv())
    files = _listed(s3, results, key)
    while not any(name.endswith("/manifest.json") for name in files):
        if time.monotonic() - began > _RESULTS_TIMEOUT_S:
            raise TimeoutError(f"no manifest for {key} after {_RESULTS_TIMEOUT_S:.0f} s")
        time.sleep(0.05)
        files = _listed(s3, results, key)
    took_s = time.monotonic() - began
    answered = next(name for name in files if name.endswith("/results.csv"))
    lines = s3.get_object(Bucket=results, Key=answered)["Body"].read().decode().splitlines()
    labels: Any = np.array([int(row[_LABEL]) for row in csv.DictReader(lines)])
    first = [f"... {','.join(line.split(',')[-4:])}" for line in lines[:3]]  # behind 64 pixels
    return Dropped(labels, files, first, took_s)


def _listed(s3: "S3Client", bucket: str, prefix: str) -> dict[str, int]:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {item["Key"]: item["Size"] for item in found}

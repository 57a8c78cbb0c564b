"""What is uploaded in parts is what was written."""

import hashlib
import random

import boto3
import pytest

from headrace_runtime.aws import upload
from headrace_runtime.aws.results_bucket import ResultsBucket


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("sizes", [[1], [5 << 20], [3 << 20, 3 << 20], [1, 17 << 20, 0, 9]])
def test_an_object_holds_the_bytes_in_order_however_they_came(sizes, monkeypatch):
    monkeypatch.setattr(upload, "PART_BYTES", 5 << 20)
    s3, draw = boto3.client("s3"), random.Random(7)
    pieces = [draw.randbytes(size) for size in sizes]

    with ResultsBucket("results", s3=s3).writing("key") as written:
        for piece in pieces:
            written.write(piece)
        written.complete()

    stands = s3.get_object(Bucket="results", Key="key")["Body"].read()
    assert stands == b"".join(pieces)
    assert written.sha256 == hashlib.sha256(stands).hexdigest()
    assert written.size_bytes == len(stands)


@pytest.mark.usefixtures("aws")
def test_what_is_small_is_at_hand():
    with ResultsBucket("results", s3=boto3.client("s3")).writing("key") as written:
        written.write(b"one")
        written.write(b"two")

        assert written.held == b"onetwo"

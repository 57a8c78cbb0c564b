"""A version's files, fetched and checked."""

import io
import resource
import tempfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from headrace_runtime.aws.artifacts import Artifacts
from headrace_runtime.errors import DigestMismatch, Unavailable
from headrace_runtime.model.manifest import Manifest, StoredFile
from tests import onnx_models

FILES = {"artifacts/d/graph.onnx": b"graph", "artifacts/d/weights.bin": b"weights" * 1000}


class Bucket:
    """S3 in memory, that breaks off the first downloads."""

    def __init__(self, *, breaks: int = 0) -> None:
        self.files = dict(FILES)
        self.breaks = breaks

    def get_object(self, **request: str) -> dict[str, Any]:
        content = self.files[request["Key"]]
        sent = content
        if self.breaks:
            self.breaks -= 1
            sent = content[:-1]
        return {"Body": io.BytesIO(sent), "ContentLength": len(content)}


@pytest.fixture
def manifest(publish: Callable[..., Manifest]) -> Manifest:
    stored = tuple(StoredFile(k, sha256(v).hexdigest(), len(v)) for k, v in FILES.items())
    made = publish("wine", onnx_models.linear(), onnx_models.linear_signature())
    return replace(made, files=stored)


def test_files_lie_beside_each_other_while_they_are_needed(manifest: Manifest) -> None:
    with Artifacts("models", s3=Bucket()).fetched(manifest) as graph:
        assert graph.name == "graph.onnx"
        assert graph.read_bytes() == b"graph"
        assert graph.with_name("weights.bin").read_bytes() == b"weights" * 1000

    assert not graph.parent.exists()


def test_other_bytes_than_were_registered_are_never_given(manifest: Manifest) -> None:
    bucket = Bucket()
    bucket.files["artifacts/d/weights.bin"] = b"Weights" * 1000

    with pytest.raises(DigestMismatch), Artifacts("models", s3=bucket).fetched(manifest):
        pytest.fail("gave the files")


def test_a_download_that_broke_off_is_tried_again(manifest: Manifest) -> None:
    with Artifacts("models", s3=Bucket(breaks=2)).fetched(manifest) as graph:
        assert graph.read_bytes() == b"graph"


def test_a_bucket_that_always_breaks_off_is_unavailable(manifest: Manifest) -> None:
    fetched = Artifacts("models", s3=Bucket(breaks=99)).fetched(manifest)

    with pytest.raises(Unavailable), fetched:
        pytest.fail("gave the files")


@pytest.mark.fault("F26")
def test_a_full_disk_says_nothing_about_the_version_and_the_next_try_finds_it_empty(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    artifacts = Artifacts("models", s3=Bucket())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with (
            pytest.raises(Unavailable, match="the disk has no room for 7,000 bytes"),
            artifacts.fetched(manifest),
        ):
            pytest.fail("gave the files")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert list(tmp_path.iterdir()) == []
    with artifacts.fetched(manifest) as graph:
        assert graph.with_name("weights.bin").stat().st_size == 7000

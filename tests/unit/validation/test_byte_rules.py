import io
import pickle
import zipfile

import pytest

from headrace_runtime.errors import ModelRefused
from headrace_runtime.validation import byte_rules
from tests import onnx_models


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.json", "{}")
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"", "the file is empty: export the model to ONNX and drop the .onnx file itself"),
        (_zip(), r"the file is a ZIP archive \(.keras, .pt and .npz are such\): export"),
        (b"\x1f\x8b\x08\x00", "the file is compressed with gzip: unpack it first"),
        (pickle.dumps({"a": 1}), "the file is a Python pickle .* never opened: export"),
        (pickle.dumps({"a": 1}, protocol=2), "the file is a Python pickle"),
        (b"\n <!DOCTYPE html><html>", "the file is text"),
        (b'\xef\xbb\xbf{"a": 1}', "the file is text"),
        (b"[1, 2]", "the file is text"),
        (b"\x89HDF\r\n", "the file is an HDF5 file"),
        (b"\x1c\x00\x00\x00TFL3", "the file is a TensorFlow Lite model"),
        (b"\x20\x00\x00\x00ORTM", "the file is in ONNX Runtime's own .ort format: drop the .onnx"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer.*git lfs pull"),
        (b"\x93NUMPY\x01\x00", "the file is a numpy array"),
    ],
)
def test_what_is_certainly_no_onnx_model_is_named(head, sentence):
    with pytest.raises(ModelRefused, match=sentence) as refused:
        byte_rules.check_head(head)
    assert refused.value.rule == "NOT_ONNX"


def test_a_models_head_passes():
    byte_rules.check_head(onnx_models.linear()[: byte_rules.HEAD_BYTES])


def test_a_model_above_the_limit_is_refused_and_at_it_is_not():
    byte_rules.check_size(10, limit_bytes=10)
    with pytest.raises(ModelRefused, match="the model has 11 bytes, at most 10 can be served"):
        byte_rules.check_size(11, limit_bytes=10)

import subprocess
import sys

import headrace


def test_the_public_names_are_sorted_and_all_there():
    assert headrace.__all__ == sorted(headrace.__all__)
    assert all(getattr(headrace, name).__name__ == name for name in headrace.__all__)


def test_every_public_name_is_listed_once_where_it_lives():
    lazily = [name for names in headrace._HOMES.values() for name in names]

    assert sorted(lazily) == sorted(headrace.__all__)


def test_the_sdk_needs_numpy_and_httpx_alone():
    script = (
        "import sys, headrace.client, headrace.input_files, headrace.printing\n"
        "others = 'boto3 orjson simdjson backports pyarrow onnxruntime onnx'.split()\n"
        "print([m for m in others if m in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout == "[]\n"

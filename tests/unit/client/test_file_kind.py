"""A caller's side tells what a file is as the service does."""

import json

import pytest

from headrace.file_kind import kind_of
from headrace_runtime.codec.content import content_of

REQUEST = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1]}]}


@pytest.mark.parametrize("name", ["f", "f.csv", "f.tsv", "f.txt", "f.jsonl", "f.json", "d.v1/f"])
@pytest.mark.parametrize(
    "head",
    [
        b"a,b\n1,2\n",
        b"a\tb\n1\t2\n",
        b"a\tb;c\n",
        b"a;b\n1;2\n",
        b'{"x": 1}\n',
        b"[1, 2]\n[3, 4]\n",
        b'[1, "x\n',
        b"\xef\xbb\xbf[1]\n",
        b"\n\n{}\n",
        b"\x93NUMPY\x01\0",
        b"PAR1\x15",
        json.dumps(REQUEST).encode(),
    ],
)
def test_what_a_file_is_agrees_with_the_service(head, name):
    assert kind_of(head, name) == content_of(head, name).format

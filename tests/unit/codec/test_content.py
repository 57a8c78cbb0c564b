"""What a file is, its bytes say; its name only where they leave a doubt."""

import gzip
import io
import sys

import numpy as np
import pytest

from headrace_runtime.codec import decompression
from headrace_runtime.codec.content import content_of
from headrace_runtime.codec.decompression import decompressed
from headrace_runtime.codec.file_format import Compression, Content, FileFormat
from headrace_runtime.codec.plain_format import HEAD_BYTES
from headrace_runtime.errors import InvalidInput

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


REQUEST = b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}'


@pytest.mark.parametrize(
    ("head", "name", "form"),
    [
        (b"a,b\n1,2\n", "rows.csv", FileFormat.CSV),
        (b"a,b\n1,2\n", "rows", FileFormat.CSV),
        (b"a;b\n1;2\n", "rows.txt", FileFormat.CSV),
        (b"a\tb\n1\t2\n", "rows.csv", FileFormat.TSV),
        (b"a\n1\n", "rows.tsv", FileFormat.TSV),
        (b"\xef\xbb\xbfa,b\n", "rows", FileFormat.CSV),
        (b"[id],[name]\n1,2\n", "rows.csv", FileFormat.CSV),
        (b'{"x":1}\n', "rows.csv", FileFormat.JSON_LINES),
        (b"\n [1,2]\n[3,4]\n", "rows", FileFormat.JSON_LINES),
        (b"1\n2\n", "rows.jsonl", FileFormat.JSON_LINES),
        (b"{bad\n", "rows.ndjson", FileFormat.JSON_LINES),
        (REQUEST, "rows.json", FileFormat.OPEN_INFERENCE),
        (npy(np.zeros(2)), "rows.csv", FileFormat.NPY),
        (npz(x=np.zeros(2)), "rows", FileFormat.NPZ),
    ],
)
@pytest.mark.parametrize("compression", list(Compression))
def test_a_file_is_what_its_bytes_say(head, name, form, compression):
    body = PACKED[compression](head)

    assert content_of(body, name) == Content(form, compression)


PACKED = {
    Compression.NONE: bytes,
    Compression.GZIP: gzip.compress,
    Compression.ZSTD: zstd.compress,
}
PACKERS = [(kind, PACKED[kind]) for kind in (Compression.GZIP, Compression.ZSTD)]


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml", "an Excel sheet"),
        (b"\x80\x04\x95", "a pickle, which is never read"),
        (b"\xff\xfea\0", "UTF-16 text: save it as UTF-8"),
        (b"<html>", "HTML: export its table as CSV"),
        (b"BZh91AY", "compress it with gzip or zstd"),
        (b"ab\0\1\n", "neither text nor a format that is known"),
        (b'[\n {"x": 1},\n', "one JSON document over several lines"),
        (gzip.compress(gzip.compress(b"a,b\n", mtime=0), mtime=0), "compressed twice"),
        (b"\x1f\x8b rubbish that is no gzip", "gzip data is damaged"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 40, "zstd data is damaged"),
    ],
)
def test_what_cannot_be_read_is_named(head, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        content_of(head, "rows.csv")


@pytest.mark.parametrize(("kind", "pack"), PACKERS)
def test_the_head_of_a_large_file_tells_enough(kind, pack):
    draw = np.random.default_rng(7)
    body = pack(b"a,b\n" + draw.bytes(1 << 20).hex().encode())

    assert content_of(body[:HEAD_BYTES], "rows") == Content(FileFormat.CSV, kind)


def test_parquet_is_read_at_random_and_so_never_inside_another_compression():
    assert content_of(b"PAR1\x15\0", "rows.csv") == Content(FileFormat.PARQUET, Compression.NONE)
    with pytest.raises(InvalidInput, match="drop the Parquet file itself"):
        content_of(gzip.compress(b"PAR1\x15\0", mtime=0), "rows.parquet.gz")
    with pytest.raises(InvalidInput, match="write it without encryption"):
        content_of(b"PARE\x15\0", "rows.parquet")


def unpacked(body: bytes, kind: Compression, size: int = 7000) -> bytes:
    stream, parts = decompressed(io.BytesIO(body), kind), []
    while data := stream.read(size):
        assert len(data) <= size
        parts.append(data)
    return b"".join(parts)


PLAIN = np.random.default_rng(7).bytes(200_000) + bytes(300_000)


@pytest.mark.parametrize(("kind", "pack"), PACKERS)
def test_members_one_after_the_other_and_padding_are_one_stream(kind, pack):
    body = pack(PLAIN[:1]) + pack(b"") + pack(PLAIN[1:]) + bytes(100)

    assert unpacked(body, kind) == PLAIN


@pytest.mark.parametrize(("kind", "pack"), PACKERS)
@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda body: body[:-9], "data is cut short after [0-9,]+ bytes of content"),
        (lambda body: body[:100], "data is cut short after 0 bytes|data is cut short after"),
        (lambda body: body + b"junk", "goes on with what is no"),
        (lambda body: body[:4] + b"\xff" * 9 + body[13:], "data is damaged"),
    ],
)
def test_damage_is_told(kind, pack, harm, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        unpacked(harm(pack(PLAIN)), kind)


@pytest.mark.parametrize(("kind", "pack"), PACKERS)
def test_a_bomb_is_refused_before_it_bursts(kind, pack, monkeypatch):
    monkeypatch.setattr(decompression, "RATIO_COUNTS_FROM_BYTES", 1 << 20)
    body = pack(bytes(40 << 20))

    with pytest.raises(InvalidInput, match="refused as a bomb"):
        unpacked(body, kind, 1 << 16)


def test_a_window_that_would_take_gigabytes_is_refused():
    frame = b"\x28\xb5\x2f\xfd\x00" + bytes([31 - 10 << 3]) + b"\x01\x00\x00"

    with pytest.raises(InvalidInput, match="zstd data is damaged"):
        unpacked(frame, Compression.ZSTD)

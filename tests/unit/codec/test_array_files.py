"""NPY, NPZ and infer requests become tensors; hostile ones end in a sentence, soon and small."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from headrace_runtime.codec import npy_array, npz_arrays
from headrace_runtime.codec.npy_array import open_npy
from headrace_runtime.codec.npz_arrays import open_npz
from headrace_runtime.codec.open_inference import InferRequest, encode_response
from headrace_runtime.codec.request_file import open_request
from headrace_runtime.errors import HeadraceError, InvalidInput, MissingInput, TooLarge
from headrace_runtime.model.signature import Signature, TensorSpec
from headrace_runtime.tensor import Datatype, Tensor

PAIRS = Signature((TensorSpec("x", Datatype.FP32, (-1, 2)),), ())
TWO = Signature(
    (TensorSpec("a", Datatype.INT8, (-1,)), TensorSpec("b", Datatype.BYTES, (-1, 1))), ()
)


def one(datatype: Datatype, shape: tuple[int, ...] = (-1, 1)) -> Signature:
    return Signature((TensorSpec("x", datatype, shape),), ())


def npy(array: np.ndarray, version: tuple[int, int] | None = None, **how) -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version, **how)
    return out.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def header(text: str, version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode()


def read_npy(body: bytes, takes: Signature) -> tuple[list, list]:
    blocks = list(open_npy(lambda offset: io.BytesIO(body[offset:]), takes)[1])
    values = [v for block in blocks for v in block.tensors[0].array.tolist()]
    return values, [(bad.row, bad.error) for block in blocks for bad in block.bad]


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1, 2], [3, 4]], np.float32),
        np.array([[1, 2], [3, 4]], ">f8"),
        np.array([[1, 2], [3, 4]], np.int64),
        np.array([[1, 2], [3, 4]], np.uint8),
        np.asfortranarray(np.array([[1, 2], [3, 4]], np.float32)),
        np.array([[[1], [2]], [[3], [4]]], np.float16),
    ],
)
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_arrays_of_any_order_and_version_are_the_same_two_records(array, version):
    assert read_npy(npy(array, version), PAIRS) == ([[1.0, 2.0], [3.0, 4.0]], [])


def test_records_come_block_by_block(monkeypatch):
    monkeypatch.setattr(npy_array, "BLOCK_BYTES", 64)
    array = np.arange(200, dtype=np.float32).reshape(100, 2)

    values, bad = read_npy(npy(array), PAIRS)

    assert (values, bad) == (array.tolist(), [])


def test_text_is_read_as_utf_8():
    assert read_npy(npy(np.array(["é", "b"])), one(Datatype.BYTES)) == (
        [["é".encode()], [b"b"]],
        [],
    )


@pytest.mark.parametrize(
    ("array", "datatype", "reason"),
    [
        (np.array([1.0, 1e39, np.inf]), Datatype.FP32, "out of the range of FP32"),
        (np.array([1, 300, 2]), Datatype.UINT8, "out of the range of UINT8"),
        (np.array([1, 2**63, 2], np.uint64), Datatype.INT64, "out of the range of INT64"),
    ],
)
def test_a_value_out_of_range_costs_its_record_only(array, datatype, reason):
    values, bad = read_npy(npy(array), one(datatype))

    assert len(values) == 2
    assert [row for row, _ in bad] == [2]
    assert reason in bad[0][1]


@pytest.mark.parametrize(
    ("array", "datatype"),
    [
        (np.array([1.0]), Datatype.INT64),
        (np.array([True]), Datatype.FP32),
        (np.array([1]), Datatype.BOOL),
        (np.array(["1"]), Datatype.FP32),
        (np.array([1j]), Datatype.FP32),
        (np.array(["2026-11-23"], "M8[D]"), Datatype.INT64),
    ],
)
def test_nothing_is_coerced(array, datatype):
    with pytest.raises(InvalidInput, match=f"takes {datatype}, the array holds"):
        read_npy(npy(array), one(datatype))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (npy(np.array([{}, 1], object), allow_pickle=True), "objects, which are never unpickled"),
        (npy(np.zeros(2, [("a", "f4"), ("b", "f4")])), "has fields"),
        (npy(np.float32(1)), "a single value"),
        (npy(np.zeros((2, 3), np.float32)), "takes records of shape"),
        (npy(np.zeros((2, 2), np.float32))[:-1], "cut short: 1 of 16 bytes"),
        (npy(np.zeros((2, 2), np.float32)) + b"x", "goes on after the 2 records"),
        (b"\x93NUMPY\x09\x00\x00\x00", "version 1, 2 or 3"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "no array needs as many"),
        (b"\x93NUMPY", "cut short"),
        (header("(" * 9000), "cannot be read"),
        (header("{'descr': '<f4', 'shape': (1,2), 'fortran_order': 0}"), "cannot be read"),
        (header("{'descr': '<f4', 'shape': (-1,2), 'fortran_order': False}"), "no file can hold"),
        (header("{'descr': '<f4', 'shape': (10**9,2), 'fortran_order': False}"), "cannot be read"),
        (
            header("{'descr': '<f4', 'shape': (99999999999999,2), 'fortran_order': False}"),
            "no file can hold",
        ),
        (
            header("{'descr': '<f4', 'shape': (999999999999,0), 'fortran_order': False}"),
            "hold nothing|no file can hold",
        ),
        (header("__import__('os').system('true')"), "cannot be read"),
    ],
)
def test_a_hostile_npy_ends_in_a_sentence(body, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        read_npy(body, PAIRS)


def test_a_bool_that_is_neither_is_refused():
    body = npy(np.array([0, 1, 2], np.uint8)).replace(b"|u1", b"|b1")

    with pytest.raises(InvalidInput, match="must be 0 or 1"):
        read_npy(body, one(Datatype.BOOL))


def test_a_fortran_array_that_says_terabytes_takes_no_memory():
    body = header("{'descr': '<f4', 'shape': (400000000000,2), 'fortran_order': True}")

    with pytest.raises(TooLarge, match="ascontiguousarray"):
        read_npy(body, PAIRS)


def read_npz(body: bytes, takes: Signature) -> list[list]:
    blocks = list(open_npz(io.BytesIO(body), takes))
    return [[v for b in blocks for v in b.tensors[i].array.tolist()] for i in range(2)]


@pytest.mark.parametrize("names", [("a", "b"), ("arr_0", "arr_1")])
def test_an_npz_has_an_array_for_each_input(names):
    body = npz(**dict(zip(names, (np.array([1, 2], np.int8), np.array(["x", "y"])), strict=True)))

    assert read_npz(body, TWO) == [[1, 2], [[b"x"], [b"y"]]]


def test_an_npz_bomb_is_refused_before_it_bursts(monkeypatch):
    monkeypatch.setattr(npz_arrays, "MAX_WHOLE_BYTES", 1 << 20)
    body = npz(a=np.zeros(64 << 20, np.int8), b=np.zeros(64 << 20, np.int8))
    tracemalloc.start()

    with pytest.raises(TooLarge, match="the arrays of an NPZ file"):
        read_npz(body, TWO)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8 << 20


def test_an_npz_larger_than_can_be_held_is_refused(monkeypatch):
    monkeypatch.setattr(npz_arrays, "MAX_WHOLE_BYTES", 100)

    with pytest.raises(TooLarge, match="an NPZ file may have at most 100 bytes"):
        read_npz(npz(a=np.zeros(9)), TWO)


def damaged() -> bytes:
    body = bytearray(npz(a=np.arange(99, dtype=np.int8), b=np.array(["x"] * 99)))
    body[120:140] = bytes(20)
    return bytes(body)


def many_entries() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for index in range(1100):
            archive.writestr(f"{index}.npy", b"")
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (npz(a=np.zeros(2, np.int8)), MissingInput),
        (npz(a=np.zeros(2, np.int8), b=np.array(["x"])), InvalidInput),
        (npz(a=np.zeros(2, np.int8), b=np.array(["x", "y"]))[:-30], InvalidInput),
        (damaged(), InvalidInput),
        (many_entries(), InvalidInput),
        (b"PK\x03\x04", InvalidInput),
    ],
)
def test_a_hostile_npz_ends_in_a_sentence(body, error):
    with pytest.raises(error):
        read_npz(body, TWO)


def request(*tensors: Tensor) -> bytes:
    body = encode_response("m", 1, InferRequest(None, (), binary_default=True), tensors).body
    return body.replace(b'"outputs"', b'"inputs"')


def test_an_infer_request_is_a_file_of_records():
    array = np.arange(6, dtype=np.float32).reshape(3, 2)
    body = request(Tensor("x", Datatype.FP32, array))
    plain = b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[7,8]}]}\n'

    binary, in_json = (list(open_request(io.BytesIO(b), PAIRS)) for b in (body, plain))

    assert binary[0].tensors[0].array.tolist() == array.tolist()
    assert in_json[0].tensors[0].array.tolist() == [[7.0, 8.0]]


@pytest.mark.parametrize(
    "body",
    [
        request(Tensor("y", Datatype.FP32, np.zeros((1, 2), np.float32))),
        request(Tensor("x", Datatype.FP64, np.zeros((1, 2)))),
        request(Tensor("x", Datatype.FP32, np.zeros((1, 3), np.float32))),
        request(Tensor("x", Datatype.FP32, np.zeros((1, 2), np.float32)))[:-1],
        request(Tensor("x", Datatype.FP32, np.zeros((1, 2), np.float32))) + b"x",
        request(*[Tensor("x", Datatype.FP32, np.zeros((1, 2), np.float32))] * 2),
        b'{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32"}]}',
        b'{"inputs":' + b"[" * 100_000,
        b'{"inputs":[]}',
        b"{",
    ],
)
def test_a_hostile_infer_request_ends_in_a_sentence(body):
    with pytest.raises(HeadraceError):
        list(open_request(io.BytesIO(body), PAIRS))

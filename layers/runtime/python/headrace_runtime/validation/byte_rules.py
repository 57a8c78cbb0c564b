"""Rules on a model's bytes: what shows before anything reads them as a graph."""

from headrace_runtime.errors import ModelRefused

HEAD_BYTES = 512  # of the file's beginning, that `check_head` wants to see

_EXPORT = "export the model to ONNX and drop the .onnx file itself"

# What else people drop: (offset, magic bytes, what it is, what to do).
_FOREIGN: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"PK\x03\x04", "a ZIP archive (.keras, .pt and .npz are such)", _EXPORT),
    (0, b"PK\x05\x06", "an empty ZIP archive", _EXPORT),
    (0, b"\x1f\x8b", "compressed with gzip", "unpack it first and drop the .onnx file"),
    (0, b"\x89HDF", "an HDF5 file (Keras .h5)", _EXPORT),
    (0, b"\x93NUMPY", "a numpy array", _EXPORT),
    (4, b"TFL3", "a TensorFlow Lite model", _EXPORT),
    # ONNX Runtime would recognise this format by itself and skip the graph that we looked at.
    (4, b"ORTM", "in ONNX Runtime's own .ort format", "drop the .onnx file it was made from"),
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer, not the model",
        "run `git lfs pull` and drop the file again",
    ),
)


def check_head(head: bytes) -> None:
    """Let a file pass whose first bytes may be those of an ONNX model.

    Args:
        head: the first HEAD_BYTES bytes, or all of them.

    Raises:
        ModelRefused: NOT_ONNX; the file is empty or certainly something else.
    """
    if not head:
        raise ModelRefused("NOT_ONNX", f"the file is empty: {_EXPORT}")
    for offset, magic, what, advice in _FOREIGN:
        if head[offset : offset + len(magic)] == magic:
            raise ModelRefused("NOT_ONNX", f"the file is {what}: {advice}")
    if head[0] == 0x80 and head[1:2] in b"\x02\x03\x04\x05":
        raise ModelRefused(
            "NOT_ONNX",
            f"the file is a Python pickle (joblib, torch.save), which is never opened: {_EXPORT}",
        )
    text = head.lstrip(b"\xef\xbb\xbf\r\n\t ")
    if text[:1] in (b"<", b"{", b"["):
        raise ModelRefused("NOT_ONNX", f"the file is text (HTML, XML or JSON): {_EXPORT}")


def check_size(size_bytes: int, *, limit_bytes: int) -> None:
    """Let a file of that size pass.

    Raises:
        ModelRefused: TOO_LARGE.
    """
    if size_bytes > limit_bytes:
        raise ModelRefused(
            "TOO_LARGE",
            f"the model has {size_bytes:,} bytes, at most {limit_bytes:,} can be served: "
            "quantise it or store its weights as float16",
        )

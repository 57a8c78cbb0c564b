"""Content encodings: what callers compress is unpacked within a bound, large answers are packed."""

import zlib
from dataclasses import replace

from headrace_runtime.edge.http_api import Answer
from headrace_runtime.errors import InvalidInput, TooLarge, UnsupportedEncoding

MAX_BODY_BYTES = 64 << 20  # ten times what a call can carry plain
PACKED_ABOVE_BYTES = 1 << 20  # smaller answers fit as they are; packing would only cost time

_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15  # zlib's window bits

_WINDOWS: dict[str, tuple[int, ...]] = {
    "gzip": (_GZIP,),
    "x-gzip": (_GZIP,),
    # HTTP's deflate is zlib; some clients send raw deflate all the same.
    "deflate": (_ZLIB, _RAW_DEFLATE),
}


def unpacked(body: bytes, encoding: str) -> bytes:
    """Return *body* without its content encoding.

    Args:
        body: as it came.
        encoding: value of the header Content-Encoding, empty where there was none.

    Raises:
        UnsupportedEncoding: it is neither gzip, deflate nor identity.
        InvalidInput: the body is damaged, cut short, or followed by something else.
        TooLarge: it unpacks to more than 64 MiB.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in _WINDOWS:
        raise UnsupportedEncoding(encoding)
    for window in _WINDOWS[name]:
        try:
            return _inflated(body, window)
        except zlib.error:
            continue
    raise InvalidInput(f"the body is not what Content-Encoding says: it is no sound {name}")


def packed(answer: Answer, accepted: str) -> Answer:
    """Return the answer packed with gzip if it is large and the caller takes that.

    Args:
        answer: not packed yet.
        accepted: value of the header Accept-Encoding, empty where there was none.
    """
    if len(answer.body) <= PACKED_ABOVE_BYTES or not _takes_gzip(accepted):
        return answer
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    body = packer.compress(answer.body) + packer.flush()
    headers = {**answer.headers, "content-encoding": "gzip", "vary": "accept-encoding"}
    return replace(answer, body=body, headers=headers)


def _inflated(body: bytes, window: int) -> bytes:
    parts: list[bytes] = []
    room, rest = MAX_BODY_BYTES, body
    while rest or not parts:  # gzip may be several members, one behind the other
        unpacker = zlib.decompressobj(window)
        parts.append(unpacker.decompress(rest, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise TooLarge(
                "an unpacked body",
                limit_bytes=MAX_BODY_BYTES,
                got_bytes=None,
                advice="send fewer records a call, or drop them as a file",
            )
        if not unpacker.eof:
            raise InvalidInput("the packed body ends before its end: it was cut short")
        rest = unpacker.unused_data
        if rest and window != _GZIP:
            raise InvalidInput(f"{len(rest)} bytes follow the packed body")
    return b"".join(parts)


def _takes_gzip(accepted: str) -> bool:
    for choice in accepted.lower().split(","):
        name, _, quality = choice.partition(";")
        if name.strip() in {"gzip", "*"}:
            return quality.replace(" ", "").rstrip("0.") != "q="
    return False

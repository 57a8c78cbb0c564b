"""AWS's event stream encoding, as far as an answer in one piece needs it."""

import struct
from binascii import crc32

_TEXT = 7  # the type of a header's value


def payload_parts(body: bytes, part_bytes: int = 1 << 16) -> bytes:
    """Return a body as events `PayloadPart`, of at most that many bytes each."""
    starts = range(0, len(body), part_bytes) if body else (0,)
    return b"".join(_event(body[start : start + part_bytes]) for start in starts)


def _event(payload: bytes) -> bytes:
    headers = b"".join(
        struct.pack(">B", len(name)) + name + struct.pack(">BH", _TEXT, len(value)) + value
        for name, value in (
            (b":event-type", b"PayloadPart"),
            (b":content-type", b"application/octet-stream"),
            (b":message-type", b"event"),
        )
    )
    # 12 bytes of lengths and their checksum before, 4 of the whole's checksum after.
    prelude = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))

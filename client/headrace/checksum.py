"""The sha256 that a file should have, checked as its bytes go by."""

import hashlib
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

from headrace.failures import DamagedDownload


class Checksum:
    """What a file's bytes come to.

    Args:
        sha256: hex, of all bytes; or, with *sizes*, `<hex>-<parts>`: of the parts' own digests,
            one behind the other, as S3 makes the checksum of an object that came in parts.
        sizes: bytes of each part, in order.
    """

    def __init__(self, sha256: str, sizes: tuple[int, ...] = ()) -> None:
        self._expected = sha256
        self._sizes = deque(sizes)
        self._part = hashlib.sha256()
        self._part_bytes = 0
        self._digests: list[bytes] = []

    @classmethod
    def told_by(cls, manifest: Mapping[str, Any]) -> Self | None:
        """Return the checksum of results as a job's manifest tells it, None where it does not."""
        sha256 = (manifest.get("results") or {}).get("sha256")
        sizes = tuple(part["size_bytes"] for part in manifest.get("parts") or ())
        if not sha256 or ("-" in sha256 and not sizes):
            return None
        return cls(sha256, sizes if "-" in sha256 else ())

    def add(self, data: bytes) -> None:
        """Take the next bytes of the file."""
        rest = memoryview(data)
        while self._sizes and self._part_bytes + len(rest) >= self._sizes[0]:
            cut = self._sizes.popleft() - self._part_bytes
            self._part.update(rest[:cut])
            self._digests.append(self._part.digest())
            self._part, self._part_bytes, rest = hashlib.sha256(), 0, rest[cut:]
        self._part.update(rest)
        self._part_bytes += len(rest)

    def check(self, name: str) -> None:
        """Do nothing if all bytes of the file went by as they should be.

        Raises:
            DamagedDownload: they did not; *name* is the file's.
        """
        self.add(b"")  # closes parts without bytes
        found = self._part.hexdigest()
        if self._digests:
            whole = hashlib.sha256(b"".join(self._digests)).hexdigest()
            rest = f" and {self._part_bytes:,} bytes more" if self._part_bytes else ""
            found = f"{whole}-{len(self._digests)}{rest}"
        if found != self._expected.lower():
            raise DamagedDownload(name, expected=self._expected, got=found)

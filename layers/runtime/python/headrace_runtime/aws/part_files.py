"""Parts of results, read at random."""

from dataclasses import dataclass

from headrace_runtime.aws.results_bucket import ResultsBucket
from headrace_runtime.batch.shard import Part
from headrace_runtime.errors import Unavailable


@dataclass(frozen=True, slots=True)
class PartFile:
    """The results of one part."""

    results: ResultsBucket
    part: Part

    @property
    def size_bytes(self) -> int:
        """Of all of it."""
        return self.part.results_bytes

    def read_at(self, offset: int, size: int) -> bytes:
        """Return *size* bytes from *offset* on.

        Raises:
            Unavailable: it is gone: another worker has joined it.
        """
        body = self.results.read(self.part.results, offset, offset + size)
        if body is None:
            raise Unavailable(f"part {self.part.results!r} is gone: another worker has joined it")
        return body

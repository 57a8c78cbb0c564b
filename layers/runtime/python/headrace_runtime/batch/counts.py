"""How many records were answered, and how many were not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Records of a job: each is answered, or listed with a reason."""

    rows_ok: int = 0
    rows_failed: int = 0

    @property
    def rows_in(self) -> int:
        """All records that were read."""
        return self.rows_ok + self.rows_failed

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.rows_ok + other.rows_ok, self.rows_failed + other.rows_failed)

"""What SageMaker has of a shard: bodies, each some of its records, and where their outputs come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from headrace_runtime.errors import InvalidInput

MAX_ROUNDS = 3  # and more only after one that brought an output
MAX_BODIES = 10_000  # of a shard: their names have five digits


@dataclass(frozen=True, slots=True)
class Handed:
    """A shard's bodies, on their way.

    Attributes:
        attempt: of the run that made the bodies: it stands in their names.
        sizes: how many records each of them has; their numbers begin with 0.
        answered: records of the shard that had their answers before.
        until: ISO 8601, UTC; what has not come by then is taken for lost.
        round: how often those were sent that have no output: 1, 2, 3…
        sent: bodies of this round that were sent by now, for all that is known.
        done: outputs that there were as this round began.
        plain: whether all of its records are plain (`Records.plain`).
    """

    attempt: int
    sizes: tuple[int, ...]
    answered: int
    until: str
    round: int = 1
    sent: int = 0
    done: int = 0
    plain: bool = False

    @property
    def bodies(self) -> int:
        """How many there are."""
        return len(self.sizes)

    @property
    def rows(self) -> int:
        """Records in all of them together."""
        return sum(self.sizes)

    def overdue(self, now: datetime) -> bool:
        """Whether nothing can be on its way any more."""
        return now >= datetime.fromisoformat(self.until)


@dataclass(frozen=True, slots=True)
class BodyName:
    """Which body, of which shard, sent for which time.

    Attributes:
        attempt: of the run that made it.
    """

    job_id: str
    shard: int
    attempt: int
    body: int
    round: int

    def inference_id(self) -> str:
        """Return the name by which SageMaker tells of it; at most 64 characters."""
        return f"{self.job_id}.{self.shard:05}.{self.attempt}.{self.body:05}.{self.round}"

    @classmethod
    def of(cls, inference_id: str) -> "BodyName":
        """Read back what `inference_id` wrote.

        Raises:
            InvalidInput: it is no such name.
        """
        job_id, *numbers = inference_id.split(".")
        if not job_id or len(numbers) != 4 or not all(_whole(number) for number in numbers):
            raise InvalidInput(f"{inference_id[:80]!r} is no name of a body of ours")
        return cls(job_id, *map(int, numbers))


def folder(job_id: str, shard: int, handed_attempt: int) -> str:
    """Return where, under `in/`, a shard's bodies lie, and under `out/` their outputs."""
    return f"{job_id}/{shard:05}.{handed_attempt}"


def body_key(folder: str, body: int) -> str:
    """Return the key of a body in the staging bucket."""
    return f"in/{folder}/{body:05}"


def output_name(body: int) -> str:
    """Return the name of a body's output within its folder: as a transform job would name it."""
    return f"{body:05}.out"


def output_numbers(names: Iterator[str]) -> set[int]:
    """Return which bodies have an output, by the names in their folder."""
    return {int(name[:-4]) for name in names if name.endswith(".out") and _whole(name[:-4])}


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit()

"""The body of `POST /plans`: what a file will be; and the answer, what its job will take."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace_runtime.batch.estimate import Estimate
from headrace_runtime.batch.extent import extent
from headrace_runtime.batch.means import Means
from headrace_runtime.batch.placement import Engine, considered, place
from headrace_runtime.batch.placement_rules import Case
from headrace_runtime.batch.submission import MAX_DEADLINE_S
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.codec.json_text import read_json
from headrace_runtime.edge.http_api import Answer, json_answer
from headrace_runtime.errors import UnfitInput
from headrace_runtime.model.manifest import Manifest

_MEMBERS = ("model", "rows", "size_bytes", "format", "deadline_s")
_MOST = 10**15


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """A file that a caller thinks of.

    Attributes:
        target: the model, `<model>[@<alias or version>]`.
        rows: its records.
        size_bytes: uncompressed.
        deadline_s: in so many seconds the job should have ended; None where it has time.
    """

    target: str
    rows: int
    size_bytes: int
    file_format: FileFormat
    deadline_s: int | None = None

    @property
    def model(self) -> str:
        """The model's name in the target, not checked yet."""
        return self.target.partition("/")[0].partition("@")[0]


def plan_request(body: bytes) -> PlanAsked:
    """Return what the body asks for; a file that is not said to be another is CSV.

    Raises:
        InvalidInput: it is not JSON.
        UnfitInput: it is not `{"model", "rows", "size_bytes", "format"?, "deadline_s"?}`, or values
            do not fit.
    """
    plain = read_json(body)
    if not isinstance(plain, dict):
        raise UnfitInput("the body must be a JSON object")
    for name in plain.keys() - set(_MEMBERS):
        raise UnfitInput(f"the body has no member {name[:80]!r}: it takes {', '.join(_MEMBERS)}")
    target, named = plain.get("model"), plain.get("format", FileFormat.CSV)
    if not isinstance(target, str) or "/" in target:
        raise UnfitInput("model of the body must be <model> or <model>@<alias or version>")
    for name, most in (("rows", _MOST), ("size_bytes", _MOST), ("deadline_s", MAX_DEADLINE_S)):
        number = plain.get(name, 1 if name == "deadline_s" else None)
        if type(number) is not int or not 1 <= number <= most:  # not isinstance: True is an int
            raise UnfitInput(f"{name} of the body must be a whole number from 1 to {most}")
    if not isinstance(named, str) or named not in FileFormat.__members__.values():
        raise UnfitInput(f"format of the body must be one of {', '.join(FileFormat)}")
    kind, deadline_s = FileFormat(named), plain.get("deadline_s")
    return PlanAsked(target, plain["rows"], plain["size_bytes"], kind, deadline_s)


def plan_answer(asked: PlanAsked, manifest: Manifest, means: Means) -> Answer:
    """Answer with where a job would run, why, and what it would take there and elsewhere."""
    size = extent(asked.rows, asked.size_bytes, asked.file_format, manifest.signature)
    case = Case(size, manifest, means, asked.deadline_s)
    placement, estimates = place(case), considered(case)
    chosen = estimates[placement.engine]
    return json_answer(
        {
            "model": manifest.model,
            "version": manifest.version,
            "rows": asked.rows,
            "shards": chosen.shards,
            "concurrency": chosen.concurrency,
            "seconds": chosen.seconds,
            "estimated_cost_usd": chosen.cost_usd,
            "placement": str(placement.engine),
            "reason": placement.reason,
            "considered": list(_considered(placement.engine, estimates)),
        }
    )


def _considered(chosen: Engine, estimates: dict[Engine, Estimate]) -> Iterator[dict[str, Any]]:
    """Yield what a job takes on each engine, the chosen one first."""
    for engine in sorted(estimates, key=lambda engine: engine is not chosen):
        estimate = estimates[engine]
        yield {
            "placement": str(engine),
            "seconds": estimate.seconds,
            "estimated_cost_usd": estimate.cost_usd,
        }

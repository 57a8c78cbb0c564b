"""The body of `POST /plans`: what a file will be; and the answer, what its job will take."""

from dataclasses import dataclass

from headrace_runtime.batch.estimate import Estimate
from headrace_runtime.codec.file_format import FileFormat
from headrace_runtime.codec.json_text import read_json
from headrace_runtime.edge.http_api import Answer, json_answer
from headrace_runtime.errors import UnfitInput
from headrace_runtime.model.manifest import Manifest

_MEMBERS = ("model", "rows", "size_bytes", "format")
_MOST = 10**15


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """A file that a caller thinks of.

    Attributes:
        target: the model, `<model>[@<alias or version>]`.
        rows: its records.
        size_bytes: uncompressed.
    """

    target: str
    rows: int
    size_bytes: int
    file_format: FileFormat

    @property
    def model(self) -> str:
        """The model's name in the target, not checked yet."""
        return self.target.partition("/")[0].partition("@")[0]


def plan_request(body: bytes) -> PlanAsked:
    """Return what the body asks for; a file that is not said to be another is CSV.

    Raises:
        InvalidInput: it is not JSON.
        UnfitInput: it is not `{"model", "rows", "size_bytes", "format"?}`, or values do not fit.
    """
    plain = read_json(body)
    if not isinstance(plain, dict):
        raise UnfitInput("the body must be a JSON object")
    for name in plain.keys() - set(_MEMBERS):
        raise UnfitInput(f"the body has no member {name[:80]!r}: it takes {', '.join(_MEMBERS)}")
    target, named = plain.get("model"), plain.get("format", FileFormat.CSV)
    if not isinstance(target, str) or "/" in target:
        raise UnfitInput("model of the body must be <model> or <model>@<alias or version>")
    for name in ("rows", "size_bytes"):
        number = plain.get(name)
        if type(number) is not int or not 1 <= number <= _MOST:  # not isinstance: True is an int
            raise UnfitInput(f"{name} of the body must be a whole number from 1 to {_MOST}")
    if not isinstance(named, str) or named not in FileFormat.__members__.values():
        raise UnfitInput(f"format of the body must be one of {', '.join(FileFormat)}")
    return PlanAsked(target, plain["rows"], plain["size_bytes"], FileFormat(named))


def plan_answer(asked: PlanAsked, manifest: Manifest, estimate: Estimate) -> Answer:
    """Answer with what a job will take."""
    return json_answer(
        {
            "model": manifest.model,
            "version": manifest.version,
            "rows": asked.rows,
            "shards": estimate.shards,
            "concurrency": estimate.concurrency,
            "seconds": estimate.seconds,
            "estimated_cost_usd": estimate.cost_usd,
            "placement": "lambda",
        }
    )

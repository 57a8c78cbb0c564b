"""Everything that can go wrong, in one tree.

* HeadraceError
  + InvalidInput            the caller's bytes cannot be read as what they should be
    - InvalidName           a model's, alias's or version's name is not one
    - UnsupportedEncoding   a content encoding that Headrace does not speak
  + UnfitInput              well-formed, but wrong for this model
    - MissingInput          an input of the model was not sent
    - UnknownInput          an input was sent that the model does not have
    - UnknownOutput         an output was asked for that the model does not have
    - DatatypeMismatch      another datatype than the signature's
    - ShapeMismatch         another shape than the signature's
    - InferenceFailed       the model cannot run on these values
      . InferenceCrashed, InferenceTimedOut     in `inference/process_failures.py`
    - ModelKills            its process dies whatever is done; in `inference/process_failures.py`
    - ModelQuarantined, IdempotencyMismatch     in `batch/job_failures.py`
    - ModelUnfit            it cannot do what it is asked to; ModelTooLarge, GpuOnly: nor here
  + Denial                  whoever calls is not let in; the family is in `access/denials.py`
    - Unauthenticated       no good credential came with the call
    - Forbidden             no policy gives them this, on a model that they see
    - TooOften              RateExceeded or QuotaExceeded: calls of a second, or a day
  + TooLarge                more bytes than can be carried or held
  + OutOfTime               more work than one run of a function can do
  + NotFound
    - ModelNotFound, VersionNotFound, AliasNotFound
    - NoVersionAccepted     every model that was dropped under this name was refused
    - JobNotFound, ObjectNotFound, RouteNotFound
  + Conflict                somebody else changed the record first
  + ModelRefused            the model breaks a rule of registration, or its trial failed
  + DigestMismatch          stored bytes are not the bytes that were registered
  + Unavailable             something Headrace needs does not answer; a retry may help
    - RunCutShort           the caller's time was over; in `inference/process_failures.py`
    - EndpointNotReady, EndpointFailed, EndpointBusy, EndpointTooSlow, ContainerFailed: calls that
      a GPU was to answer; in `aws/endpoint_failures.py`; EndpointGone: shards
  + OutputElsewhere, OutputsUnfit, TooManyBodies, TransformRefused: a shard is not for SageMaker

An error takes facts and builds its sentence. `code` is its stable name in answers, `facts` what
stands beside the sentence. Which HTTP status goes with it, only the edge knows.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

Fact = str | int | float | bool | Sequence[str] | Sequence[int] | None


class HeadraceError(Exception):
    """Any failure that Headrace can name."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, sentence: str, **facts: Fact) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts: Mapping[str, Fact] = {k: v for k, v in facts.items() if v is not None}

    def __init_subclass__(cls) -> None:
        """Name the code after the class: `ShapeMismatch` is `SHAPE_MISMATCH`."""
        super().__init_subclass__()
        cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).upper()


class InvalidInput(HeadraceError):
    """The caller's bytes cannot be read as what they should be."""


class InvalidName(InvalidInput):
    """A model's, alias's or version's name is not one."""

    def __init__(self, kind: str, name: str, expected: str) -> None:
        super().__init__(
            f"{name[:80]!r} is not a valid {kind} name: expected {expected}", expected=expected
        )


class UnsupportedEncoding(InvalidInput):
    """A content encoding that Headrace does not speak."""

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"content-encoding {encoding[:40]!r} is not supported: send gzip, deflate or none",
            expected=["gzip", "deflate", "identity"],
            got=encoding[:40],
        )


class UnfitInput(HeadraceError):
    """Well-formed, but wrong for this model."""


class MissingInput(UnfitInput):
    """An input of the model was not sent."""

    def __init__(self, name: str, expected: Sequence[str]) -> None:
        super().__init__(
            f"input {name!r} is missing: the model takes {', '.join(map(repr, expected))}",
            expected=list(expected),
        )


class UnknownInput(UnfitInput):
    """An input was sent that the model does not have."""

    def __init__(self, name: str, expected: Sequence[str]) -> None:
        takes = ", ".join(map(repr, expected)) or "no input"
        super().__init__(
            f"the model has no input {name[:80]!r}: it takes {takes}",
            expected=list(expected),
            got=name[:80],
        )


class UnknownOutput(UnfitInput):
    """An output was asked for that the model does not have."""

    def __init__(self, name: str, expected: Sequence[str]) -> None:
        super().__init__(
            f"the model has no output {name[:80]!r}: it gives {', '.join(map(repr, expected))}",
            expected=list(expected),
            got=name[:80],
        )


class DatatypeMismatch(UnfitInput):
    """Another datatype than the signature's."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        super().__init__(
            f"input {name!r} takes {expected}, got {got}", input=name, expected=expected, got=got
        )


class ShapeMismatch(UnfitInput):
    """Another shape than the signature's; -1 stands for any length."""

    def __init__(self, name: str, expected: Sequence[int], got: Sequence[int]) -> None:
        super().__init__(
            f"input {name!r} takes shape {list(expected)} (-1 is any length), got {list(got)}",
            input=name,
            expected=list(expected),
            got=list(got),
        )


class InferenceFailed(UnfitInput):
    """The model cannot run on these values."""


class ModelUnfit(UnfitInput):
    """The model cannot do what it was asked to do, whatever the values."""


class TooLarge(HeadraceError):
    """More bytes than can be carried or held."""

    def __init__(self, what: str, *, limit_bytes: int, got_bytes: int | None, advice: str) -> None:
        got = "more" if got_bytes is None else f"{got_bytes:,}"
        super().__init__(
            f"{what} may have at most {limit_bytes:,} bytes, got {got}: {advice}",
            limit_bytes=limit_bytes,
            got_bytes=got_bytes,
        )


class OutOfTime(HeadraceError):
    """More work than one run of a function can do."""


class NotFound(HeadraceError):
    """There is nothing of that name."""


class ModelNotFound(NotFound):
    """No version of a model of this name was ever registered."""

    def __init__(self, model: str) -> None:
        super().__init__(f"model {model!r} is not registered", model=model)


class VersionNotFound(NotFound):
    """The model has no such version."""

    def __init__(self, model: str, version: int) -> None:
        super().__init__(f"model {model!r} has no version {version}", model=model, version=version)


class AliasNotFound(NotFound):
    """The model has no such alias."""

    def __init__(self, model: str, alias: str) -> None:
        super().__init__(f"model {model!r} has no alias {alias!r}", model=model, alias=alias)


class NoVersionAccepted(NotFound):
    """Every model that was dropped under this name was refused, or is still being looked at."""

    def __init__(self, model: str, reason: str | None) -> None:
        why = f"the last one was refused: {reason}" if reason else "none was accepted yet"
        super().__init__(f"model {model!r} has no version: {why}", model=model)


class JobNotFound(NotFound):
    """No job has this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id[:80]!r}", job_id=job_id[:80])


class ObjectNotFound(NotFound):
    """The object is gone from its bucket, or was never there."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"there is no object {key!r} in bucket {bucket!r}", bucket=bucket, key=key)


class RouteNotFound(NotFound):
    """The API has no such method and path."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"there is no route {method} {path[:200]}")


class Conflict(HeadraceError):
    """Somebody else changed the record first; nothing was written."""


class ModelRefused(HeadraceError):
    """The model breaks a rule of registration, or its trial run failed.

    Attributes:
        rule: the stable name of the rule, `EXTERNAL_DATA` say.
        sentence: what is wrong and what to change.
    """

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence, rule=rule)
        self.rule = rule


class DigestMismatch(HeadraceError):
    """Stored bytes are not the bytes that were registered; they were not loaded."""

    def __init__(self, key: str, *, expected: str, got: str) -> None:
        super().__init__(f"object {key!r} should have sha256 {expected}, has {got}")


class Unavailable(HeadraceError):
    """Something Headrace needs does not answer; a retry may help."""

"""Why a caller is not let in: a branch of the tree of `headrace_runtime.errors`.

* HeadraceError
  + Denial
    - Unauthenticated         no good credential came with the call
    - Forbidden               the caller may not do this to a model that they see
    - TooOften                the key's calls are used up for now
      . RateExceeded          those of this second
      . QuotaExceeded         those of this day
"""

from headrace_runtime.errors import HeadraceError


class Denial(HeadraceError):
    """Whoever calls is not let in."""


class Unauthenticated(Denial):
    """No good credential came with the call; what is wrong with the one that came, none is told."""

    def __init__(self) -> None:
        super().__init__("a valid credential is needed: send `Authorization: Bearer <API key>`")


class Forbidden(Denial):
    """The caller may not do this to a model that they see."""

    def __init__(self, action: str, model: str) -> None:
        what = "every model" if model == "*" else f"model {model!r}"
        super().__init__(f"no policy gives you the right '{action}' on {what}", action=str(action))


class TooOften(Denial):
    """The key's calls are used up for now.

    Args:
        retry_after_s: whole seconds until there are calls again, at least 1.
    """

    def __init__(self, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence, retry_after_s=retry_after_s)


class RateExceeded(TooOften):
    """The key's calls of this second are used up."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("the calls that this key has each second are used up", retry_after_s)


class QuotaExceeded(TooOften):
    """The key's calls of this day are used up."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            "the calls that this key has each day, from midnight UTC, are used up", retry_after_s
        )

"""What can go wrong on the caller's side, beside the errors of `headrace_runtime.errors`.

* HeadraceError
  + ApiError          the service answered with an error; its sentence says what to change
  + Unreachable       no answer came
  + WaitedTooLong     what was waited for did not come in time; it may still come
  + DamagedDownload   a file came down as other bytes than were written
"""

from headrace_runtime.errors import Fact, HeadraceError


class ApiError(HeadraceError):
    """The service answered with an error.

    Attributes:
        status: the HTTP status; 4xx can be mended by the caller, 5xx cannot.
        code: the stable name of the error, `SHAPE_MISMATCH` say; `HTTP_<status>` where the
            answer was not made by Headrace itself.
        sentence: what the service says is wrong.
        request_id: by which the service's logs know the call; empty where it gave none.
    """

    code: str  # type: ignore[misc]  # the server's name for it, where other errors have their own

    def __init__(
        self, status: int, code: str, sentence: str, request_id: str = "", **facts: Fact
    ) -> None:
        super().__init__(sentence, **facts)
        self.status = status
        self.code = code
        self.request_id = request_id


class Unreachable(HeadraceError):
    """No answer came; whether the call had an effect is not known."""


class WaitedTooLong(HeadraceError):
    """What was waited for did not come in time; it may still come."""


class DamagedDownload(HeadraceError):
    """A file came down as other bytes than were written; it was removed."""

    def __init__(self, name: str, *, expected: str, got: str) -> None:
        super().__init__(
            f"{name} came down damaged, and was removed: its sha256 should be {expected}, and is "
            f"{got}: download it again",
            expected=expected,
            got=got,
        )

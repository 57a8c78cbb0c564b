"""Which HTTP status goes with which error: the one place where the two meet."""

from headrace_runtime.access.denials import Forbidden, TooOften, Unauthenticated
from headrace_runtime.errors import (
    Conflict,
    HeadraceError,
    InvalidInput,
    ModelRefused,
    NotFound,
    TooLarge,
    Unavailable,
    UnfitInput,
    UnsupportedEncoding,
)

_STATUS: dict[type[HeadraceError], int] = {
    InvalidInput: 400,
    UnsupportedEncoding: 415,
    UnfitInput: 422,
    ModelRefused: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    TooOften: 429,
    TooLarge: 413,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
}

# Of errors of `aws/endpoint_failures.py`, by code: nobody imports them before they are raised.
_STATUS_OF_CODE = {"CONTAINER_FAILED": 424, "ENDPOINT_BUSY": 429}
_EXPECTED = frozenset({"ENDPOINT_NOT_READY"})  # for minutes, whenever a version gets its alias


def status_of(error: HeadraceError) -> int:
    """Return the HTTP status of the error's code or its nearest listed ancestor, else 500."""
    if error.code in _STATUS_OF_CODE:
        return _STATUS_OF_CODE[error.code]
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def is_fault(error: HeadraceError) -> bool:
    """Whether it is neither the caller's mistake nor anything that was to be expected."""
    status = status_of(error)
    return (status >= 500 or status == 424) and error.code not in _EXPECTED

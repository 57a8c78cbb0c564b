"""Errors of a call, with the statuses and in the words of Triton."""

from http import HTTPStatus


class InferRefused(Exception):
    """A call that gets no answer but an error.

    Attributes:
        plain: whether Triton calls the JSON of its error text/plain.
    """

    def __init__(self, status: HTTPStatus, sentence: str, *, plain: bool = False) -> None:
        super().__init__(sentence)
        self.status, self.plain = status, plain


def wrong(sentence: str, *, plain: bool = False) -> InferRefused:
    """Return what is said of a call that does not fit the model or itself."""
    return InferRefused(HTTPStatus.BAD_REQUEST, sentence, plain=plain)


def unreadable(sentence: str) -> InferRefused:
    """Return what is said of a call that is not the protocol's: 500, strange as that is."""
    return InferRefused(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)


def misread(member: str, sentence: str) -> InferRefused:
    """Return what is said of JSON that has something else than is looked for."""
    return unreadable(f"Unable to parse '{member}': attempt to access {sentence}")

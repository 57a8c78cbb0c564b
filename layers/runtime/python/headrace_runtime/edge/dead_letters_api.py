"""The routes over dead letters: how many are sent back, and what became of them."""

from collections.abc import Mapping

from headrace_runtime.codec.json_text import read_json
from headrace_runtime.edge.http_api import Answer, json_answer
from headrace_runtime.errors import UnfitInput

_USUALLY, _MOST = 100, 1000


def most_asked(body: bytes) -> int:
    """Return how many messages the body of `POST /dead-letters/{queue}` asks to send back.

    Raises:
        InvalidInput: it is not JSON.
        UnfitInput: it is not `{"max"?}`, a whole number from 1 to 1,000.
    """
    plain = read_json(body) if body else {}
    if not isinstance(plain, dict) or plain.keys() - {"max"}:
        raise UnfitInput('the body must be {"max": <messages to send back>}, or nothing')
    most = plain.get("max", _USUALLY)
    if type(most) is not int or not 1 <= most <= _MOST:  # not isinstance: True is an int
        raise UnfitInput(f"max of the body must be a whole number from 1 to {_MOST}")
    return most


def waiting_answer(waiting: Mapping[str, int]) -> Answer:
    """Answer with how many dead letters each queue has."""
    return json_answer({"queues": [{"name": n, "waiting": count} for n, count in waiting.items()]})


def moved_answer(queue: str, moved: int, left: int) -> Answer:
    """Answer with what was sent back."""
    return json_answer({"queue": queue, "moved": moved, "left": left})

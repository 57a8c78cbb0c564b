"""Which integration an HTTP API's call belongs to, as API Gateway decides it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from infra.local.http_guards import Guard

_FUNCTION = re.compile(r":function:([^:/]+)")


@dataclass(frozen=True, slots=True)
class Route:
    """One route of an HTTP API.

    Attributes:
        key: as declared, `GET /models/{model}` or `$default`.
        function: the name of the function that answers.
        timeout_s: for how long the gateway waits for it; 30 s at most.
        guard: who may call it; anyone without.
    """

    key: str
    function: str
    timeout_s: float = 30.0
    guard: Guard | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A route for a call, with the path parameters, decoded."""

    route: Route
    parameters: dict[str, str]


class RouteTable:
    """The routes of one API.

    A route's segments decide one after another: a literal one comes before `{name}`, that
    before `{name+}`; then a method comes before ANY; `$default` comes last.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        declared = [(route, *_split(route.key)) for route in routes]
        self._default = next((route for route, method, _ in declared if method == ""), None)
        self._routes = sorted(
            ((route, method, path) for route, method, path in declared if method),
            key=lambda one: ([_rank(segment) for segment in one[2]], one[1] == "ANY"),
        )
        self._exact = {
            (method, path): route
            for route, method, path in self._routes
            if not any(map(_rank, path))
        }

    def match(self, method: str, raw_path: str) -> Match | None:
        """Return the route of a call, or None if there is none.

        Args:
            method: in upper case.
            raw_path: as sent, percent-encoded, without the query.
        """
        segments = tuple(unquote(segment) for segment in raw_path.split("/")[1:])
        exact = self._exact.get((method, segments))
        if exact is not None:
            return Match(exact, {})
        for route, wanted, path in self._routes:
            if wanted in {method, "ANY"}:
                parameters = _bind(path, segments)
                if parameters is not None:
                    return Match(route, parameters)
        return Match(self._default, {}) if self._default is not None else None


def function_of(integration_uri: str) -> str:
    """Return the function that an integration calls.

    Args:
        integration_uri: its ARN, plain or within an invocation's.

    Raises:
        ValueError: it names no function.
    """
    found = _FUNCTION.search(integration_uri)
    if found is None:
        raise ValueError(f"The integration {integration_uri} is no Lambda function.")
    return found.group(1)


def _split(key: str) -> tuple[str, tuple[str, ...]]:
    if key == "$default":
        return "", ()
    method, _, path = key.partition(" ")
    return method, tuple(path.split("/")[1:])


def _rank(segment: str) -> int:
    return 0 if not segment.startswith("{") else 2 if segment.endswith("+}") else 1


def _bind(path: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    bound: dict[str, str] = {}
    for index, wanted in enumerate(path):
        rank = _rank(wanted)
        if index >= len(segments):
            return None
        if rank == 2:
            bound[wanted[1:-2]] = "/".join(segments[index:])
            return bound
        if rank == 1 and segments[index]:
            bound[wanted[1:-1]] = segments[index]
        elif wanted != segments[index]:
            return None
    return bound if len(path) == len(segments) else None

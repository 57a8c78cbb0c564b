"""Which other origins' pages may call the API, as HTTP APIs say it by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from infra.local.http_answer import Answer

_PREFIX = "access-control-"


@dataclass(frozen=True, slots=True)
class Cors:
    """An API's CORS configuration.

    Attributes:
        origins: `https://a.example`, `https://*` or `*`.
        preflight_headers: what is told beside the origin when a page asks beforehand.
        answer_headers: what is told beside the origin with each answer.
    """

    origins: frozenset[str]
    preflight_headers: tuple[tuple[str, str], ...]
    answer_headers: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, configuration: Mapping[str, Any]) -> Self:
        """Read what `get_apis` tells as `CorsConfiguration`."""
        credentials: tuple[tuple[str, str], ...] = ()
        if configuration.get("AllowCredentials"):
            credentials = (("access-control-allow-credentials", "true"),)
        preflight = list(credentials)
        for member, name in (("AllowMethods", "allow-methods"), ("AllowHeaders", "allow-headers")):
            if configuration.get(member):
                preflight.append((_PREFIX + name, ",".join(configuration[member])))
        if configuration.get("MaxAge") is not None:
            preflight.append(("access-control-max-age", str(configuration["MaxAge"])))
        exposed: list[str] = configuration.get("ExposeHeaders") or []
        told = (("access-control-expose-headers", ",".join(exposed)),) if exposed else ()
        return cls(
            origins=frozenset(configuration.get("AllowOrigins") or []),
            preflight_headers=tuple(preflight),
            answer_headers=(*credentials, *told),
        )

    def asked(self, method: str, headers: Sequence[tuple[str, str]]) -> bool:
        """Tell whether a call is a page asking beforehand, which the gateway itself answers."""
        names = {name for name, _ in headers}
        return method == "OPTIONS" and {"origin", "access-control-request-method"} <= names

    def preflight(self, origin: str) -> Answer:
        """Return the answer to a page that asks beforehand."""
        return Answer(204, self._told(origin, self.preflight_headers), b"")

    def on(self, answer: Answer, origin: str) -> Answer:
        """Return an answer with the API's CORS headers in place of the function's."""
        own = tuple(pair for pair in answer.headers if not pair[0].startswith(_PREFIX))
        return Answer(answer.status, own + self._told(origin, self.answer_headers), answer.body)

    def _told(
        self, origin: str, headers: tuple[tuple[str, str], ...]
    ) -> tuple[tuple[str, str], ...]:
        if "*" in self.origins:
            return (("access-control-allow-origin", "*"), *headers)
        scheme = origin.partition("://")[0]
        if origin in self.origins or f"{scheme}://*" in self.origins:
            return (("access-control-allow-origin", origin), ("vary", "Origin"), *headers)
        return ()

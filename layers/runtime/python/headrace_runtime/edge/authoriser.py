"""The authoriser's event and answer: who calls, in flat text, as API Gateway hands it on."""

import json  # and not orjson: Lambda's runtime has imported it before
from collections.abc import Mapping, Sequence
from typing import Any


def credential_of(event: Mapping[str, Any]) -> str:
    """Return the bearer token, else the header `x-api-key`, else nothing."""
    headers = event.get("headers") or {}
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if scheme:
        return token.strip() if scheme.lower() == "bearer" else ""
    return str(headers.get("x-api-key", "")).strip()


def looks_like_token(credential: str) -> bool:
    """Return whether this can be a JSON Web Token: three parts, the first a JSON object's."""
    return credential.startswith("eyJ") and credential.count(".") == 2


def known(principal: str, subjects: Sequence[str]) -> dict[str, Any]:
    """Answer that *principal* calls, whom policies may call by any of *subjects*."""
    return _answer(principal=principal, subjects=json.dumps(subjects, separators=(",", ":")))


def turned_away(code: str, principal: str = "", retry_after_s: int | None = None) -> dict[str, Any]:
    """Answer that the call is to be refused with *code*.

    API Gateway lets it pass all the same: its own refusal would be another status in another
    shape. What the call wakes then knows nobody, and answers the refusal as all its errors.
    """
    wait = "" if retry_after_s is None else str(retry_after_s)
    return _answer(principal=principal, refused=code, retry_after_s=wait)


def _answer(**context: str) -> dict[str, Any]:
    nothing = {"principal": "", "subjects": "[]", "refused": "", "retry_after_s": ""}
    return {"isAuthorized": True, "context": nothing | context}

"""JSON Web Tokens of one issuer, checked: RS256 or ES256, and every date and name in them."""

from collections.abc import Mapping
from typing import Any

from headrace_runtime.access.denials import Unauthenticated
from headrace_runtime.edge.signing_keys import SigningKeys

LEEWAY_S = 30  # that the issuer's clock may be off
# By what the key is, so that no token chooses how it is checked.
_ALGORITHMS = {"RSA ": "RS256", "EC P-256": "ES256"}


class Tokens:
    """Reads the claims of an issuer's tokens.

    Args:
        issuer: as `iss` must spell it.
        audience: what `aud` must name.
        keys: the issuer's.
    """

    def __init__(self, issuer: str, audience: str, *, keys: SigningKeys) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    def claims(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that the issuer signed for us and that is good now.

        Raises:
            Unauthenticated: it is not such a token.
            Unavailable: the issuer's keys are not known, and it does not answer.
        """
        # Here and not above: most callers send an API key, and cryptography costs a cold start.
        import jwt  # noqa: PLC0415

        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.key(str(header.get("kid")))
            if key is None:
                raise Unauthenticated
            algorithm = _ALGORITHMS.get(f"{key.get('kty')} {key.get('crv', '')}")
            if algorithm is None or key.get("alg", algorithm) != algorithm:
                raise Unauthenticated
            claims: dict[str, Any] = jwt.decode(
                token,
                jwt.PyJWK.from_dict(key, algorithm),
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["aud", "exp", "iss", "sub"]},
            )
        except (jwt.PyJWTError, RecursionError, TypeError, ValueError):
            raise Unauthenticated from None
        return claims

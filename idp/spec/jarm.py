"""JWT Secured Authorization Response Mode (JARM) §2.1: the claims of an authorization response that travels as one JWT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPE = "JWT"
PARAMETER = "response"
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LIFETIME = 600
"""§2.1: "A maximum JWT lifetime of 10 minutes is RECOMMENDED."."""


def claims(parameters: Mapping[str, str], *, issuer: str, client_id: str, now: int) -> dict[str, Any]:
    """Put the response's claims together: iss, aud and exp are REQUIRED, the parameters stand beside them.

    RFC 9207 §2.4: the `iss` of the JWT is the issuer identification; a parameter of its own is not needed.
    """
    return {**parameters, "iss": issuer, "aud": client_id, "exp": now + LIFETIME}


def algorithm(registered: str | None, *, fapi: bool) -> str:
    """Give the algorithm that signs. §3: "The default, if omitted, is RS256"; FAPI 2.0 §5.4.1 allows PS256, ES256 and EdDSA only."""
    return registered or ("PS256" if fapi else "RS256")

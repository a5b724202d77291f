"""RFC 9101 §4 to §6, OIDC Core §6, FAPI 2.0 Message Signing §5.3.1: the claims of a request object whose signature holds. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.spec import resources
from idp.spec.authorization_request import KNOWN
from idp.spec.id_token import audience

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES = ("oauth-authz-req+jwt", "JWT")
"""What `typ` may be when it is there: RFC 9101 §10.8 recommends the first, and stock libraries write the second."""
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
FAPI_ALGORITHMS = ("PS256", "ES256", "EdDSA")
MAX_LENGTH = 16 * 1024
LEEWAY = 60
FAPI_LIFETIME = 3600
MAX_TIME = 2**53
_NESTED = ("request", "request_uri")
_STRUCTURES = {"claims": dict, "authorization_details": list, "registration": dict}
_USEFUL = KNOWN | {"registration"}


@dataclass(frozen=True, slots=True)
class Demands:
    """What an object has to fulfil. `whole`: iss, aud and client_id must stand in it; `short_lived`: FAPI's rules for exp and nbf."""

    client_id: str
    issuer: str
    now: int
    whole: bool
    short_lived: bool


def read(claims: Mapping[str, Any], demands: Demands) -> dict[str, str] | str:
    """Check an object's claims and give the authorization parameters in it, as texts; or what is wrong with it."""
    return _about_itself(claims, demands) or _times(claims, demands) or _parameters(claims)


def _about_itself(claims: Mapping[str, Any], demands: Demands) -> str | None:
    """RFC 9101 §4, §6.1: iss is the client, aud the provider, nothing is nested.

    §10.8: an object must not pass for a client assertion, nor the reverse; a `sub` that is the client makes it one.
    """
    if any(name in claims for name in _NESTED):
        return "request and request_uri must not stand in it"
    if claims.get("sub") == demands.client_id:
        return "its sub is the client, as in a client assertion"
    for name in ("iss", "client_id"):
        if claims.get(name, None if demands.whole else demands.client_id) != demands.client_id:
            return f"its {name} must be the client_id"
    if ("aud" in claims or demands.whole) and demands.issuer not in audience(claims):
        return "its aud must hold the issuer"
    return None


def _times(claims: Mapping[str, Any], demands: Demands) -> str | None:
    """RFC 7519 §4.1.4 to §4.1.6. FAPI: "reject […] if the nbf is over 60 minutes in the past", "exp […] over 60 minutes after nbf"."""
    found: dict[str, int] = {}
    for name in ("exp", "nbf", "iat"):
        if name in claims:
            value = claims[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MAX_TIME:
                return f"its {name} is no time"
            found[name] = int(value)
    if found.get("exp", demands.now + 1) <= demands.now:
        return "it has expired"
    if any(found.get(name, 0) > demands.now + LEEWAY for name in ("nbf", "iat")):
        return "it is not valid yet"
    return _short_lived(found, demands.now) if demands.short_lived else None


def _short_lived(found: Mapping[str, int], now: int) -> str | None:
    if "exp" not in found or "nbf" not in found:
        return "it needs exp and nbf"
    if found["nbf"] < now - FAPI_LIFETIME:
        return "its nbf is over 60 minutes ago"
    return "its exp is over 60 minutes after its nbf" if found["exp"] > found["nbf"] + FAPI_LIFETIME else None


def _parameters(claims: Mapping[str, Any]) -> dict[str, str] | str:
    """Give the parameters as texts. RFC 9101 §4: strings and numbers as such, structures as JSON; what is unknown is ignored."""
    found: dict[str, str] = {}
    for name in _USEFUL & set(claims):
        text = _text(name, claims[name])
        if text is None or not _writable(text):
            return f"its {name} is of the wrong type, or cannot be written"
        if text:
            found[name] = text
    return found


def _text(name: str, value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < MAX_TIME else None
    if name == "resource" and isinstance(value, list) and all(isinstance(one, str) and " " not in one for one in value):
        return resources.joined(value)
    if isinstance(value, _STRUCTURES.get(name, ())):
        return json.dumps(value, separators=(",", ":"))
    return None


def _writable(text: str) -> bool:
    """Tell whether UTF-8 and our databases can hold it: JSON may hold half a surrogate pair, and NUL."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)

"""RFC 7591 §2.3: software statements, metadata that somebody signed whom the operator trusts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import structlog

from idp.spec.errors import ErrorCode, Refusal
from keys.compact import read_object
from keys.encoding import decode
from keys.errors import TokenInvalid
from keys.verification import verify_with_jwks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.protocol.services import Services

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
_INVALID: Final = ErrorCode.INVALID_SOFTWARE_STATEMENT

_log = structlog.get_logger(__name__)


def claims_of(found: Services, statement: object) -> Mapping[str, Any] | Refusal:
    """Give what a software statement says, if its issuer is one that the operator trusts.

    §2.3: "The software statement MUST contain an "iss" claim denoting the party attesting to the claims in the software statement." §3.2.2:
    unapproved_software_statement, "The software statement presented is not approved for use by this authorization server."
    """
    if statement is None:
        return {}
    issuer = _issuer(statement)
    if not isinstance(statement, str) or issuer is None:
        return Refusal(_INVALID, "software_statement must be a signed JWT with iss.")
    keys = _trusted(found).get(issuer)
    if not isinstance(keys, dict):
        return Refusal(ErrorCode.UNAPPROVED_SOFTWARE_STATEMENT, "This provider trusts no software statements of this issuer.")
    try:
        claims = verify_with_jwks(statement, keys, algorithms=ALGORITHMS).claims
    except TokenInvalid:
        return Refusal(_INVALID, "software_statement is not signed by a key of its issuer.")
    return _in_time(claims, found.clock().timestamp()) or claims


def _in_time(claims: Mapping[str, Any], now: float) -> Refusal | None:
    """RFC 7519 §4.1.4, §4.1.5: exp and nbf, where they are stated."""
    expires, begins = claims.get("exp", now + 1), claims.get("nbf", now)
    if not isinstance(expires, int | float) or not isinstance(begins, int | float) or not begins <= now < expires:
        return Refusal(_INVALID, "software_statement is outside its time: exp or nbf.")
    return None


def _issuer(statement: object) -> str | None:
    """Read who a statement says it is from, before anything is proven: only to find the keys to prove it with."""
    parts = statement.split(".") if isinstance(statement, str) else []
    try:
        issuer = read_object(decode(parts[1])).get("iss") if len(parts) == len(("header", "payload", "signature")) else None
    except (TokenInvalid, ValueError):
        return None
    return issuer if isinstance(issuer, str) else None


def _trusted(found: Services) -> Mapping[str, Any]:
    """Read whom the operator trusts: a JSON object of JWK Sets by issuer, read anew each time, for registrations are rare."""
    file = found.settings.software_statement_issuers_file
    if file is None:
        return {}
    try:
        trusted = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        _log.warning("software_statement_issuers_unreadable", error=type(error).__name__)
        return {}
    return trusted if isinstance(trusted, dict) else {}

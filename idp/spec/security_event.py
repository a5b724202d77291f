"""RFC 8417, RFC 9493, CAEP 1.0, RISC 1.0, SSF 1.0: what a security event token says, and to whom it belongs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPE: Final = "secevent+jwt"
MEDIA_TYPE: Final = "application/secevent+jwt"
PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
SPEC_VERSION: Final = "1_0"

_SCHEMAS: Final = "https://schemas.openid.net/secevent"


class Signal(StrEnum):
    """What receivers can be told. VERIFICATION is the answer to their own question whether the stream works."""

    SESSION_REVOKED = "session-revoked"
    CREDENTIAL_CHANGE = "credential-change"
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_ENABLED = "account-enabled"
    ACCOUNT_PURGED = "account-purged"
    CONSENT_REVOKED = "consent-revoked"
    VERIFICATION = "verification"


SUBSCRIBABLE: Final = tuple(signal for signal in Signal if signal is not Signal.VERIFICATION)
_PLACES: Final = {
    Signal.SESSION_REVOKED: f"{_SCHEMAS}/caep/event-type/session-revoked",
    Signal.CREDENTIAL_CHANGE: f"{_SCHEMAS}/caep/event-type/credential-change",
    Signal.ACCOUNT_DISABLED: f"{_SCHEMAS}/risc/event-type/account-disabled",
    Signal.ACCOUNT_ENABLED: f"{_SCHEMAS}/risc/event-type/account-enabled",
    Signal.ACCOUNT_PURGED: f"{_SCHEMAS}/risc/event-type/account-purged",
    Signal.VERIFICATION: f"{_SCHEMAS}/ssf/event-type/verification",
}


def event_uri(signal: Signal, issuer: str) -> str:
    """Give the URI that names an event; the one of our own stands under our own address."""
    return _PLACES.get(signal) or f"{issuer}/signals/{signal.value}"


def about(issuer: str, subject: str, sid: str | None = None) -> dict[str, Any]:
    """Give the `sub_id` of somebody as the receiver's sector knows them (RFC 9493 §3.2.4), or of one session of theirs (SSF §3.3)."""
    person = {"format": "iss_sub", "iss": issuer, "sub": subject}
    return person if sid is None else {"format": "complex", "user": person, "session": {"format": "opaque", "id": sid}}


def claims(
    *, issuer: str, audience: str, now: int, jti: str, signal: Signal, subject: Mapping[str, Any], details: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the claims of a security event token together.

    SSF 1.0 §4.1: the "sub" claim MUST NOT be present (`sub_id` names the subject), and the "exp" claim MUST NOT be used.
    """
    return {
        "iss": issuer,
        "aud": audience,
        "iat": now,
        "jti": jti,
        "sub_id": dict(subject),
        "events": {event_uri(signal, issuer): dict(details)},
    }


def transmitter(issuer: str) -> dict[str, Any]:
    """Build /.well-known/ssf-configuration (SSF 1.0 §7.1)."""
    return {
        "spec_version": SPEC_VERSION,
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks.json",
        "delivery_methods_supported": [PUSH, POLL],
        "verification_endpoint": f"{issuer}/signals/verification",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }

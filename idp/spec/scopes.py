"""RFC 6749 §3.3 and OIDC Core §5.4: scope values, the claims they ask for, and the one purpose of a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from idp.spec.claims import PROFILE_CLAIMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")
_MAX_SCOPES = 50

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
PURPOSE_PREFIX = "purpose:"

# OIDC Core §5.4: "Claims requested by the following scopes are treated by Authorization Servers as Voluntary Claims."
SCOPE_CLAIMS: Mapping[str, frozenset[str]] = {
    "profile": PROFILE_CLAIMS,
    "email": frozenset({"email", "email_verified"}),
    "address": frozenset({"address"}),
    "phone": frozenset({"phone_number", "phone_number_verified"}),
    "nik": frozenset({"nik"}),
    "access_history": frozenset({"access_history"}),
}
PERSONAL_SCOPES = frozenset({OPENID, OFFLINE_ACCESS, *SCOPE_CLAIMS})
# RFC 8414 §2: "Servers MAY choose not to advertise some supported scope values": `nik`, `access_history` and `purpose:<id>` are our own.
SCOPES_SUPPORTED = (OPENID, "profile", "email", "address", "phone", OFFLINE_ACCESS)


def parse(scope: str) -> tuple[str, ...] | None:
    """Split a scope into its values, each once, in their order; None when a character is not allowed."""
    values = tuple(dict.fromkeys(scope.split(" ")))
    values = tuple(value for value in values if value)
    if len(values) > _MAX_SCOPES or not all(_TOKEN.fullmatch(value) for value in values):
        return None
    return values


def purposes(scope: Iterable[str]) -> tuple[str, ...]:
    """Give the ids of all purposes that a scope names."""
    return tuple(value.removeprefix(PURPOSE_PREFIX) for value in scope if value.startswith(PURPOSE_PREFIX))


def claims_of(scope: Iterable[str]) -> frozenset[str]:
    """Give the claims that a scope asks for."""
    return frozenset[str]().union(*(SCOPE_CLAIMS.get(value, frozenset()) for value in scope))


def granted(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """Keep the scope values this client may have; `purpose:` values were checked before.

    OIDC Core §3.1.2.1: "Scope values used that are not understood by an implementation SHOULD be ignored."
    """
    known = set(allowed)
    return tuple(value for value in asked if value in known or value.startswith(PURPOSE_PREFIX))


def narrowed(asked: Iterable[str], claims: Iterable[str]) -> tuple[str, ...]:
    """Drop scope values of which not one claim was allowed, so that the answer tells the scope that was granted.

    RFC 6749 §3.3: "If the issued access token scope is different from the one requested by the client, the authorization server MUST
    include the "scope" response parameter to inform the client of the actual scope granted."
    """
    have = set(claims)
    return tuple(value for value in asked if value not in SCOPE_CLAIMS or SCOPE_CLAIMS[value] & have)

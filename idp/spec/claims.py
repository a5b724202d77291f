"""OIDC Core §5.1, §5.5: the standard claims, and the `claims` request parameter."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PROFILE_CLAIMS = frozenset({
    "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender",
    "birthdate", "zoneinfo", "locale", "updated_at",
})  # fmt: skip
PERSONAL_CLAIMS = PROFILE_CLAIMS | {"email", "email_verified", "address", "phone_number", "phone_number_verified", "nik", "access_history"}
AUTHENTICATION_CLAIMS = frozenset({"auth_time", "acr", "amr", "nonce", "sid"})
# What discovery tells: the standard's claims. Our own `nik` and `access_history` are told to those whom they concern (docs/integrate.md).
_PROTOCOL_CLAIMS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid")
CLAIMS_SUPPORTED = (*_PROTOCOL_CLAIMS, *sorted(PERSONAL_CLAIMS - {"nik", "access_history"}))
MAX_LENGTH = 8192
_MAX_VALUES = 50


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """One member of the `claims` parameter. `values` is empty when any value will do."""

    essential: bool = False
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The `claims` parameter: what is asked for at the UserInfo endpoint and in the ID Token."""

    userinfo: Mapping[str, ClaimRequest] = field(default_factory=dict)
    id_token: Mapping[str, ClaimRequest] = field(default_factory=dict)

    def personal(self, place: str) -> frozenset[str]:
        """Name the personal claims asked for at "userinfo" or "id_token"; those we do not know are ignored (§5.5)."""
        asked = self.userinfo if place == "userinfo" else self.id_token
        return frozenset(asked) & PERSONAL_CLAIMS


def parse(text: str) -> ClaimsRequest | None:
    """Read the parameter; None when it is not what §5.5 describes.

    §5.5: "The top-level members of the Claims request JSON object are: userinfo, id_token. Other members MAY be present. Any members used
    that are not understood MUST be ignored."
    """
    if len(text) > MAX_LENGTH:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    userinfo, id_token = _place(document.get("userinfo")), _place(document.get("id_token"))
    return None if userinfo is None or id_token is None else ClaimsRequest(userinfo, id_token)


def _place(document: object) -> dict[str, ClaimRequest] | None:
    if document is None:
        return {}
    if not isinstance(document, dict):
        return None
    requests = {name: _member(value) for name, value in document.items()}
    return None if None in requests.values() else {name: request for name, request in requests.items() if request}


def _member(value: object) -> ClaimRequest | None:
    """Read one claim's request: null, or an object with essential, value, values."""
    if value is None:
        return ClaimRequest()
    if not isinstance(value, dict):
        return None
    essential, values = value.get("essential", False), value.get("values", [])
    if not isinstance(essential, bool) or not isinstance(values, list) or len(values) > _MAX_VALUES:
        return None
    return ClaimRequest(essential, (value["value"],) if "value" in value else tuple(values))

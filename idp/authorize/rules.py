"""OIDC Core §11, RFC 6749 §3.3, FAPI 2.0 §5.3.2.1, design §5: what an approval holds. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.purposes.vocabulary import COMPANIONS
from idp.spec import authorization_details, scopes
from idp.spec.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.records import Grant
    from idp.spec.authorization_request import AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds: of a code, an access token, a refresh token (counted from the approval)."""

    code: int
    access_token: int
    refresh_token: int


def granted_scope(request: AuthorizationRequest, allowed: tuple[str, ...], readable: frozenset[str], *, refreshes: bool) -> tuple[str, ...]:
    """Give the scope that is granted: `allowed` is what the application may have, `readable` the claims that may be read.

    OIDC Core §11: the server "MUST ensure that the prompt parameter contains consent unless other conditions for processing the request
    permitting offline access" are met, and "MUST ignore the offline_access request" otherwise. `refreshes`: the client uses refresh tokens.
    """
    offline = refreshes and Prompt.CONSENT in request.prompt
    return tuple(value for value in scopes.narrowed(allowed, _with_companions(readable)) if value != scopes.OFFLINE_ACCESS or offline)


def kept_claims(asked: Mapping[str, frozenset[str]], declared: frozenset[str]) -> dict[str, frozenset[str]]:
    """Drop what the purpose does not declare, place by place; companions and `updated_at` go where their values go."""
    known = _with_companions(declared) | {"updated_at"}
    return {place: names & known for place, names in asked.items()}


def dropped_claims(asked: Mapping[str, frozenset[str]], declared: frozenset[str]) -> list[str]:
    """Name what was dropped, for the developer's trail."""
    return sorted(frozenset[str]().union(*asked.values()) - _with_companions(declared) - {"updated_at"})


def ends_at(now: dt.datetime, lifetimes: Lifetimes, *, refreshes: bool, grant_expires_at: dt.datetime | None) -> dt.datetime:
    """Say when the last token that can stand on an approval ends; never after the consent grant."""
    lasts = lifetimes.refresh_token if refreshes else lifetimes.code + lifetimes.access_token
    end = now + dt.timedelta(seconds=lasts)
    return end if grant_expires_at is None else min(end, grant_expires_at)


def code_lifetime(seconds: int, *, fapi: bool) -> int:
    """Give how long a code is good. FAPI 2.0 §5.3.2.1 (11): "authorization codes with a maximum lifetime of 60 seconds"."""
    return min(seconds, 60) if fapi else seconds


def granted_details(request: AuthorizationRequest, grant: Grant, readable: frozenset[str]) -> tuple[Mapping[str, object], ...]:
    """Write what was granted of the authorization_details (RFC 9396 §7); empty when none were asked for."""
    if request.details is None:
        return ()
    return tuple(authorization_details.granted(request.details.purpose, readable, grant.id))


def _with_companions(names: frozenset[str]) -> frozenset[str]:
    return names | {companion for companion, base in COMPANIONS.items() if base in names}

"""RFC 8693 §2.1, §2.2, §4.1: one service hands a citizen's authorization on to another. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from idp.spec import scopes
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.id_token import audience as audiences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idp.spec.at_jwt import AccessToken

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - §3
_LONGEST_CHAIN: Final = 5


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is asked: on the strength of which token, for which services, with which part of its scope (None: all)."""

    subject_token: str = field(repr=False)
    audience: tuple[str, ...]
    scope: tuple[str, ...] | None


def read(parameters: Mapping[str, str], audience: Sequence[str]) -> Exchange | Refusal:
    """Read a request; `audience` are the services it names, by client_id or resource.

    §2.1: subject_token and subject_token_type are REQUIRED. Access tokens are exchanged for access tokens; an actor other than the service
    that asks is not known here.
    """
    token, kind = parameters.get("subject_token"), parameters.get("subject_token_type")
    if token is None or kind is None:
        return Refusal(ErrorCode.INVALID_REQUEST, "subject_token and subject_token_type are required.")
    if kind != ACCESS_TOKEN or parameters.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        return Refusal(ErrorCode.INVALID_REQUEST, f"Only {ACCESS_TOKEN} is exchanged, for the same.")
    if "actor_token" in parameters or "actor_token_type" in parameters:
        return Refusal(ErrorCode.INVALID_REQUEST, "The actor is the client that asks: leave actor_token out.")
    if not audience:
        return Refusal(ErrorCode.INVALID_TARGET, "Say for which service: audience (its client_id) or resource.")
    scope = scopes.parse(parameters["scope"]) if "scope" in parameters else None
    if "scope" in parameters and scope is None:
        return Refusal(ErrorCode.INVALID_SCOPE, "scope has a character that is not allowed.")
    return Exchange(token, tuple(audience), scope)


def may_exchange(token: AccessToken, client_id: str) -> bool:
    """Tell whether a token is in the right hands: it was issued to who presents it, or is meant for it."""
    return client_id == token.client_id or client_id in audiences(token.claims)


def narrowed(asked: tuple[str, ...] | None, token: AccessToken) -> tuple[str, ...] | Refusal:
    """Give the scope of the new token: never more than the old one's, and never access while the citizen is away."""
    have = tuple(value for value in token.scope if value != scopes.OFFLINE_ACCESS)
    if asked is None:
        return have
    if not set(asked) <= set(have):
        return Refusal(ErrorCode.INVALID_SCOPE, "The subject token does not have all of this scope.")
    return asked


def actor(token: AccessToken, client_id: str) -> dict[str, Any] | Refusal:
    """Give the `act` claim: who acts now, and inside, who acted before.

    §4.1: "A chain of delegation can be expressed by nesting one act claim within another."
    """
    before = token.claims.get("act")
    depth, link = 1, before
    while isinstance(link, dict):
        depth, link = depth + 1, link.get("act")
    if depth > _LONGEST_CHAIN:
        return Refusal(ErrorCode.INVALID_REQUEST, f"A token is handed on {_LONGEST_CHAIN} times at most.")
    return {"sub": client_id} | ({"act": before} if isinstance(before, dict) else {})

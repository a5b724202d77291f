"""RFC 6749 §4.1.1 to §4.1.2.1, OIDC Core §3.1.2.2: the checks of an authorization request, in order. Reading down is reading the rules.

`BEFORE_REDIRECT` holds until it is safe to redirect: an error there is a page. `AFTER_REDIRECT` are errors the application is told.
RFC 6749 §4.1.2.1: "If the request fails due to a missing, invalid, or mismatching redirection URI, or if the client identifier is
missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect".
The columns say at which endpoint a check is made. Each is pure and stands, with its sentence, in `check_arrival` or `check_wishes`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from idp.protocol import check_arrival as arrival
from idp.protocol import check_wishes as wishes
from idp.protocol.asked import Asked, PageCode, Registered, defaults_of
from idp.spec import scopes
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.clients.records import Client
    from idp.web.parameters import Parameters

__all__ = ("Asked", "Column", "PageCode", "Registered", "after_redirect", "deferrable", "deferred", "refusal", "until_redirect")


class Column(StrEnum):
    """A way in which authorization requests, or a part of them, are taken."""

    AUTHORIZE = "authorize"
    PUSHED = "pushed"
    DEFERRED = "deferred"
    """Requests that are answered elsewhere (RFC 8628 §3.1, CIBA §7.1): there is no redirect URI, and nothing is shown at once."""


_FRONT = frozenset({Column.AUTHORIZE, Column.PUSHED})
_EVERY = frozenset(Column)
_DEFERRABLE: Final = frozenset({
    "scope", "claims", "acr_values", "max_age", "ui_locales", "claims_locales", "resource", "authorization_details",
})  # fmt: skip

BEFORE_REDIRECT: Final[tuple[Callable[[Asked], PageCode | None], ...]] = (
    arrival.readable,
    arrival.client_known,
    arrival.request_there,
    arrival.redirect_uri_registered,
)

AFTER_REDIRECT: Final[tuple[tuple[Callable[[Registered], Refusal | None], frozenset[Column]], ...]] = (
    (arrival.each_once, _EVERY),
    (arrival.object_believed, _FRONT),
    (arrival.no_registration, _FRONT),
    (arrival.signed_where_demanded, _FRONT),
    (arrival.pushed_where_demanded, frozenset({Column.AUTHORIZE})),
    (arrival.response_type, _FRONT),
    (arrival.grant_registered, _FRONT),
    (arrival.response_mode, _FRONT),
    (wishes.lengths, _FRONT),
    (wishes.scope, _EVERY),
    (wishes.details, _EVERY),
    (wishes.one_purpose, _EVERY),
    (wishes.resource, _EVERY),
    (arrival.nonce_where_demanded, _FRONT),
    (wishes.code_challenge, _FRONT),
    (wishes.dpop_jkt, _FRONT),
    (wishes.prompt, _FRONT),
    (wishes.max_age, _EVERY),
    (wishes.claims, _EVERY),
    (wishes.essential_acr, _EVERY),
    (wishes.id_token_hint, _FRONT),
)

_TOLD: Final[dict[PageCode, Refusal]] = {
    "bad_request": Refusal(ErrorCode.INVALID_REQUEST, "The request cannot be read: each parameter once, in UTF-8, form-encoded."),
    "service_unknown": Refusal(ErrorCode.INVALID_CLIENT, "The client is unknown.", 401),
    "service_address": Refusal(ErrorCode.INVALID_REQUEST, "redirect_uri is missing, or not one that this client registered."),
    "request_object": Refusal(ErrorCode.INVALID_REQUEST_OBJECT, "The request object is refused."),
    "request_gone": Refusal(ErrorCode.INVALID_REQUEST_URI, "request_uri is unknown, expired or used."),
}


def until_redirect(asked: Asked) -> Registered | PageCode:
    """Run the first table: the request with its application and redirect URI, or the code of the page to show."""
    for check in BEFORE_REDIRECT:
        code = check(asked)
        if code is not None:
            return code
    if asked.client is None:  # the table has said so; this is for the type checker
        return "service_unknown"
    return Registered(asked, asked.client, asked.parameters.values["redirect_uri"])


def after_redirect(asked: Registered, column: Column = Column.AUTHORIZE) -> Refusal | None:
    """Run the second table for an endpoint: the first refusal, or None when the request holds."""
    return next((refusal for check, columns in AFTER_REDIRECT if column in columns and (refusal := check(asked)) is not None), None)


def refusal(asked: Asked, column: Column) -> Refusal | None:
    """Run both tables for an endpoint that answers directly; nothing is redirected."""
    if asked.problem is not None:
        return asked.problem
    registered = until_redirect(asked)
    return after_redirect(registered, column) if isinstance(registered, Registered) else _TOLD[registered]


def deferred(asked: Asked, client: Client) -> Refusal | None:
    """Check a request that is answered elsewhere: the first refusal, or None."""
    return after_redirect(Registered(asked, client, ""), Column.DEFERRED)


def deferrable(parameters: Parameters, client: Client) -> dict[str, str]:
    """Give what of such a request is kept, with what the application registered for every request.

    A card is shown whenever access while away is asked for (OIDC Core §11).
    """
    kept = {name: value for name, value in parameters.values.items() if name in _DEFERRABLE}
    offline = scopes.OFFLINE_ACCESS in (scopes.parse(kept.get("scope", "")) or ())
    return defaults_of(client) | kept | ({"prompt": Prompt.CONSENT.value} if offline else {})

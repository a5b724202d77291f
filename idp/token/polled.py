"""RFC 8628 §3.4, §3.5, CIBA Core 1.0 §10.1, §11: an application asks whether the citizen has answered elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.deferred.records import Answered, DeferredKind, Unanswered
from idp.spec.errors import ErrorCode, Refusal
from idp.token import rules
from idp.token.grants import granted, resource_of

if TYPE_CHECKING:
    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.sender import Sender
    from idp.protocol.services import Services
    from idp.token.grants import Tokens
    from idp.web.parameters import Parameters

_REFUSALS: Final = {
    Unanswered.PENDING: Refusal(ErrorCode.AUTHORIZATION_PENDING, "The citizen has not answered yet: ask again after the interval."),
    Unanswered.TOO_FAST: Refusal(ErrorCode.SLOW_DOWN, "Wait 5 seconds longer than before between two requests."),
    Unanswered.DENIED: Refusal(ErrorCode.ACCESS_DENIED, "The citizen said no."),
    Unanswered.EXPIRED: Refusal(ErrorCode.EXPIRED_TOKEN, "Nobody answered in time: begin anew."),
    Unanswered.UNKNOWN: Refusal(ErrorCode.INVALID_GRANT, "This request is not one of this client."),
    Unanswered.REUSED: Refusal(ErrorCode.INVALID_GRANT, "The answer was fetched before, so everything issued for it was revoked."),
}
_NAMES: Final = {DeferredKind.DEVICE: "device_code", DeferredKind.BACKCHANNEL: "auth_req_id"}
_ENDED: Final = Refusal(ErrorCode.INVALID_GRANT, "The sign-in or permission behind this request has ended: begin anew.")


async def device_code(found: Services, client: Client, sent: Parameters, by: Sender) -> Tokens | Refusal:
    """Answer a device that polls."""
    return await _poll(found, client, sent, by, DeferredKind.DEVICE)


async def backchannel(found: Services, client: Client, sent: Parameters, by: Sender) -> Tokens | Refusal:
    """Answer a counter that polls."""
    return await _poll(found, client, sent, by, DeferredKind.BACKCHANNEL)


async def _poll(found: Services, client: Client, sent: Parameters, by: Sender, kind: DeferredKind) -> Tokens | Refusal:
    code, now = sent.get(_NAMES[kind]), found.clock()
    if code is None:
        return Refusal(ErrorCode.INVALID_REQUEST, f"{_NAMES[kind]} is required.")
    outcome = await found.deferred.redeem(kind, code, client.id, now)
    if isinstance(outcome, Answered):
        authorization = await found.authorizations.live(outcome.authorization, "", now)
        return _ENDED if authorization is None else await _give(found, client, sent, authorization, by)
    if outcome is Unanswered.REUSED:
        await _revoke(found, kind, code, client)
    return _REFUSALS[outcome]


async def _give(found: Services, client: Client, sent: Parameters, authorization: Authorization, by: Sender) -> Tokens | Refusal:
    """Give the tokens, for some of the resources that were granted where the application names them (RFC 8707 §2.2)."""
    audience = rules.audience(resource_of(sent), authorization.resources, found.settings.issuer)
    if isinstance(audience, Refusal):
        return audience
    return await granted(found, client, authorization, found.clock(), by, audience=audience)


async def _revoke(found: Services, kind: DeferredKind, code: str, client: Client) -> None:
    """End what the first use got: one of the two who know the code is a thief (RFC 6749 §10.5 says so of codes)."""
    authorization = await found.deferred.redeemed(kind, code, client.id)
    if authorization is not None:
        await found.authorizations.revoke(authorization, found.clock())

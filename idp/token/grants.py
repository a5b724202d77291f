"""RFC 6749 §4.1.3, §4.4.2, §6, OIDC Core §3.1.3.3, §12, FAPI 2.0 §5.3.2.1: the grant types."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from idp.authorizations.records import Rejected
from idp.protocol import issue, sender
from idp.protocol.release import NotReleased, release
from idp.spec import resources, scopes
from idp.spec.errors import ErrorCode, Refusal
from idp.token import rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.authorizations.records import Authorization, Rotated
    from idp.clients.records import Client
    from idp.protocol.issue import Issued
    from idp.protocol.sender import Sender
    from idp.protocol.services import Services
    from idp.web.parameters import Parameters

log = structlog.get_logger()
_ACTIVITY = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A good answer: its members, and the access-log entry of what the ID Token tells, if it tells anything personal."""

    content: Mapping[str, Any]
    entry_id: str | None = None


async def authorization_code(found: Services, client: Client, sent: Parameters, by: Sender) -> Tokens | Refusal:
    """Redeem a code: used up first, in one statement; then everything else is compared."""
    code, redirect_uri = sent.get("code"), sent.get("redirect_uri")
    if code is None or redirect_uri is None:
        return Refusal(ErrorCode.INVALID_REQUEST, "code and redirect_uri are required.")
    now = found.clock()
    redeemed = await found.authorizations.redeem(
        code, client.id, now,
        refreshable="refresh_token" in client.grant_types,
        bound_to=rules.bound_to(by.cnf, public=client.public),
    )  # fmt: skip
    if isinstance(redeemed, Rejected):
        _trail("code_rejected", client, redeemed)
        return rules.code_rejected(redeemed)
    misfit = rules.fits(redeemed.binding, redirect_uri, sent.get("code_verifier"), jkt=by.proof.jkt)
    audience = misfit or rules.audience(resource_of(sent), redeemed.authorization.resources, found.settings.issuer)
    if isinstance(audience, Refusal):
        return audience
    return await granted(
        found,
        client,
        redeemed.authorization,
        now,
        by,
        nonce=redeemed.binding.nonce,
        refresh_token=redeemed.refresh_token,
        audience=audience,
    )


async def granted(
    found: Services,
    client: Client,
    authorization: Authorization,
    now: dt.datetime,
    by: Sender,
    *,
    nonce: str | None = None,
    refresh_token: str | None = None,
    audience: tuple[str, ...] = (),
) -> Tokens | Refusal:
    """Give the first tokens that stand on an authorization. `refresh_token`: the one that is stored already; else one is made."""
    issued = await issue.access_token(found, client, authorization, authorization.scope, now, cnf=by.cnf, audience=audience)
    content = _answer(issued, authorization.scope, by.cnf) | _details(authorization)
    if refresh_token is None and "refresh_token" in client.grant_types:
        bound_to = rules.bound_to(by.cnf, public=client.public)
        refresh_token = await found.authorizations.add_refresh_token(authorization, now, bound_to=bound_to)
    if refresh_token is not None:
        content["refresh_token"] = refresh_token
    if scopes.OPENID not in authorization.scope:
        return Tokens(content)
    told = await _personal(found, authorization)
    if isinstance(told, Refusal):
        return told
    claims, entry_id = told
    content["id_token"] = await issue.identity_token(
        found, client, authorization, now, access_token=issued.token, nonce=nonce, personal=claims
    )
    return Tokens(content, entry_id)


async def _personal(found: Services, authorization: Authorization) -> tuple[Mapping[str, Any], str | None] | Refusal:
    """Read what the `claims` parameter asked for in the ID Token: a read like any other, recorded before it leaves."""
    names = authorization.claims.get("id_token", frozenset())
    if not names:
        return {}, None
    released = await release(found, authorization, "id_token", names)
    if isinstance(released, NotReleased):
        return rules.code_rejected(Rejected.ENDED)
    return released.claims, released.entry_id


async def refresh_token(found: Services, client: Client, sent: Parameters, by: Sender) -> Tokens | Refusal:
    """Rotate a refresh token; one of profile fapi2 stays what it is (FAPI 2.0 §5.3.2.1 (9): "shall not use refresh token rotation").

    OIDC Core §12.2: the new ID Token's "auth_time Claim […] MUST represent the time of the original authentication", and "it SHOULD NOT
    have a nonce Claim".
    """
    token = sent.get("refresh_token")
    if token is None:
        return Refusal(ErrorCode.INVALID_REQUEST, "refresh_token is required.")
    now = found.clock()
    use = found.authorizations.keep if client.fapi else found.authorizations.rotate
    rotated = await use(token, client.id, now, held=by.proof.held)
    if isinstance(rotated, Rejected):
        _trail("refresh_token_rejected", client, rotated)
        return rules.refresh_token_rejected(rotated)
    scope = rules.refreshed_scope(sent.get("scope"), rotated.authorization.scope)
    if isinstance(scope, Refusal):
        return scope
    audience = rules.audience(resource_of(sent), rotated.authorization.resources, found.settings.issuer)
    if isinstance(audience, Refusal):
        return audience
    await _keep_alive(found, rotated, now)
    issued = await issue.access_token(found, client, rotated.authorization, scope, now, cnf=by.cnf, audience=audience)
    content = _answer(issued, scope, by.cnf) | _details(rotated.authorization)
    content |= {} if client.fapi else {"refresh_token": rotated.successor}
    if scopes.OPENID in scope:
        content["id_token"] = await issue.identity_token(found, client, rotated.authorization, now, access_token=issued.token)
    return Tokens(content)


async def _keep_alive(found: Services, rotated: Rotated, now: dt.datetime) -> None:
    """Count a service in use as activity of its session, writing at most once a minute."""
    session, idle_until = rotated.authorization.session, rotated.idle_until
    if session is None or idle_until is None:
        return
    settings, left = found.settings, idle_until - now
    idle = settings.session_idle if left <= dt.timedelta(seconds=settings.session_idle) else settings.session_remembered_idle
    if dt.timedelta(seconds=idle) - left >= _ACTIVITY:
        await found.sessions.touch(session, now)


async def client_credentials(found: Services, client: Client, sent: Parameters, by: Sender) -> Tokens | Refusal:
    """Give an application a token of its own. RFC 6749 §4.4.3: "A refresh token SHOULD NOT be included."."""
    if client.public:
        return Refusal(ErrorCode.UNAUTHORIZED_CLIENT, "client_credentials needs a confidential client.")
    scope = rules.client_scope(sent.get("scope"), client.scopes)
    if isinstance(scope, Refusal):
        return scope
    audience = rules.audience(resource_of(sent), (*client.resources, found.settings.issuer), found.settings.issuer)
    if isinstance(audience, Refusal):
        return audience
    own = audience if sent.get("resource") else ()
    return Tokens(_answer(await issue.client_token(found, client, scope, found.clock(), cnf=by.cnf, audience=own), scope, by.cnf))


def _answer(issued: Issued, scope: tuple[str, ...], cnf: Mapping[str, str]) -> dict[str, Any]:
    content = {"access_token": issued.token, "token_type": sender.token_type(cnf), "expires_in": issued.expires_in}
    return content | ({"scope": " ".join(scope)} if scope else {})


def resource_of(sent: Parameters) -> str | None:
    """RFC 8707 §2.2: several `resource` parameters may stand in a token request."""
    several = sent.lists.get("resource", ())
    return resources.joined(several) if several else None


def _details(authorization: Authorization) -> dict[str, Any]:
    """RFC 9396 §7: "the AS MUST also return the authorization details as granted by the resource owner"."""
    return {"authorization_details": list(authorization.details)} if authorization.details else {}


def _trail(event: str, client: Client, why: Rejected) -> None:
    log.info(event, client=client.id, why=why.value)

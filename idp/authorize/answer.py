"""RFC 6749 §4.1.2: recording an approval and answering with its code, or with what else the response type asks for."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import structlog

from consent.records import GrantState
from idp.authorizations.records import Authorization, CodeBinding
from idp.authorize import front_channel, rules
from idp.protocol import browser_state, deferred, respond
from idp.protocol.services import services
from idp.spec import scopes
from idp.spec.errors import ErrorCode, Refusal
from idp.web import cookies
from idp.web.errors import PageError
from keys.opaque import new_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from consent.records import Purpose
    from idp.authorize.dispatch import Issue
    from idp.authorize.situation import Asking
    from idp.protocol.services import Services
    from idp.sessions.records import Session

log = structlog.get_logger()


async def give(request: Request, asking: Asking, issue: Issue, *, session: Session, purpose: Purpose) -> Response:
    """Record the approval and send its code on its way. Raises: PageError ("finished"), when a pushed request was answered before."""
    found = services(request)
    now, asked = found.clock(), asking.request
    if asked.pushed is not None and not await found.pushed.consume(asked.pushed, asking.client.id, now):
        raise PageError("finished", 409)
    authorization = await _authorization(found, asking, issue, session=session, purpose=purpose)
    if asked.deferred is not None:
        allowed = await deferred.allow(request, asked.deferred, authorization)
        await _ended_meanwhile(found, authorization)
        return allowed
    binding = CodeBinding(asking.client.id, asked.redirect_uri, asked.code_challenge, asked.nonce, asked.dpop_jkt)
    expires_at = now + dt.timedelta(seconds=rules.code_lifetime(found.settings.code_lifetime, fapi=asking.client.fapi))
    code = await found.authorizations.issue(authorization, binding, expires_at=expires_at)
    if await _ended_meanwhile(found, authorization):
        gone = Refusal(ErrorCode.ACCESS_DENIED, "The permission ended while it was being answered.")
        return await respond.error(request, asking.client, asked, gone)
    told = {"code": code}
    if asked.response_type != "code":
        told = await front_channel.parameters(found, asking.client, asked, authorization, code)
    told |= browser_state.parameters(request, asking.client, asked.redirect_uri)
    response = await respond.success(request, asking.client, asked, told)
    cookies.attach(request, response)
    return response


async def _authorization(found: Services, asking: Asking, issue: Issue, *, session: Session, purpose: Purpose) -> Authorization:
    now, asked = found.clock(), asking.request
    wanted = asked.asked_claims(asking.scope)
    dropped = rules.dropped_claims(wanted, purpose.declared)
    if dropped:
        log.info("claims_dropped", client=asking.client.id, purpose=purpose.id, claims=dropped, why="the purpose does not declare them")
    refreshes = "refresh_token" in asking.client.grant_types
    scope = rules.granted_scope(asked, asking.scope, issue.claims, refreshes=refreshes)
    return Authorization(
        id=new_id(),
        grant=issue.grant.id,
        client=asking.client.id,
        person=session.person,
        session=None if scopes.OFFLINE_ACCESS in scope else session.id,
        sid=await found.sessions.sid(session.id, asking.client.id),
        scope=scope,
        claims=rules.kept_claims(wanted, purpose.declared),
        purpose=purpose.id,
        purpose_version=issue.grant.purpose_version,
        acr=session.acr,
        amr=session.amr,
        auth_time=session.auth_time,
        created_at=now,
        ends_at=rules.ends_at(
            now, _lifetimes(found, deferred=asked.deferred is not None), refreshes=refreshes, grant_expires_at=issue.grant.expires_at
        ),
        resources=asked.resources,
        details=rules.granted_details(asked, issue.grant, issue.claims),
    )


async def _ended_meanwhile(found: Services, authorization: Authorization) -> bool:
    """Look once more at the permission, now that the approval is stored: a withdrawal ends the permission first, then what stands on it.

    So either it finds this approval, or we find it.
    """
    grant = await found.consent.ledger.get(authorization.grant)
    if grant is not None and grant.state is GrantState.ACTIVE:
        return False
    await found.authorizations.revoke(authorization.id, found.clock())
    return True


def _lifetimes(found: Services, *, deferred: bool) -> rules.Lifetimes:
    settings = found.settings
    fetched = max(settings.device_code_lifetime, settings.backchannel_lifetime) if deferred else settings.code_lifetime
    return rules.Lifetimes(fetched, settings.access_token_lifetime, settings.refresh_token_lifetime)

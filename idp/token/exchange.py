"""RFC 8693: token exchange between agencies' services. The new token stands on the same approval, so the citizen's purpose is kept.

It ends with that approval, tells its `sub` in the sector of who asked (design §5), names who acts (`act`), and opens nothing here: it is
meant for the other service, which introspects it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from idp.protocol import bearer, issue, sender
from idp.spec import resources, token_exchange
from idp.spec.errors import ErrorCode, Refusal
from idp.token.grants import Tokens

if TYPE_CHECKING:
    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.sender import Sender
    from idp.protocol.services import Services
    from idp.spec.at_jwt import AccessToken
    from idp.spec.token_exchange import Exchange
    from idp.web.parameters import Parameters

_log = structlog.get_logger()
_NOT_HELD: Final = Refusal(ErrorCode.INVALID_REQUEST, "The subject token expired, was revoked, or is not yours to hand on.")


async def exchange(found: Services, client: Client, sent: Parameters, by: Sender) -> Tokens | Refusal:
    """Answer a request. §2.2.2: an invalid subject token is `invalid_request`, a service that may not be reached `invalid_target`."""
    if client.public:
        return Refusal(ErrorCode.UNAUTHORIZED_CLIENT, "Token exchange needs a confidential client.")
    target = await _target(found, client, sent)
    if isinstance(target, Refusal):
        return target
    asked = token_exchange.read(sent.values, target)
    if isinstance(asked, Refusal):
        return asked
    subject = await _subject(found, client, asked.subject_token, by)
    if isinstance(subject, Refusal):
        return subject
    return await _hand_on(found, client, asked, subject, by)


async def _hand_on(
    found: Services, client: Client, asked: Exchange, subject: tuple[AccessToken, Authorization], by: Sender
) -> Tokens | Refusal:
    token, authorization = subject
    scope, actor = token_exchange.narrowed(asked.scope, token), token_exchange.actor(token, client.id)
    if isinstance(scope, Refusal):
        return scope
    if isinstance(actor, Refusal):
        return actor
    issued = await issue.access_token(
        found,
        client,
        authorization,
        scope,
        found.clock(),
        cnf=by.cnf,
        audience=asked.audience,
        actor=actor,
        until=token.expires,
        before=(token.jti, *token.before),
    )
    _log.info("token_exchanged", client=client.id, audience=list(asked.audience), purpose=authorization.purpose)
    content = {
        "access_token": issued.token,
        "issued_token_type": token_exchange.ACCESS_TOKEN,
        "token_type": sender.token_type(by.cnf),
        "expires_in": issued.expires_in,
    }
    return Tokens(content | ({"scope": " ".join(scope)} if scope else {}))


async def _target(found: Services, client: Client, sent: Parameters) -> tuple[str, ...] | Refusal:
    """Give the services that are asked for, if an administrator registered that this one hands citizens on to them."""
    named, at = sent.lists.get("audience", ()), sent.lists.get("resource", ())
    wanted = resources.parse(resources.joined(at))
    known = {one for one in client.exchange_audiences if await found.clients.get(one) is not None}
    if wanted is None or not set(named) <= known or not set(wanted) <= set(client.resources):
        return Refusal(ErrorCode.INVALID_TARGET, "This client is not registered to hand citizens on to that service.")
    return tuple(dict.fromkeys((*named, *wanted)))


async def _subject(found: Services, client: Client, presented: str, by: Sender) -> tuple[AccessToken, Authorization] | Refusal:
    """Read the subject token: ours, alive, of a citizen, in the right hands, and sent by its holder where it is bound to one."""
    token = await bearer.read(presented, found, anywhere=True)
    if token is None or token.authorization is None or not token_exchange.may_exchange(token, client.id):
        return _NOT_HELD
    if token.cnf and token.client_id == client.id:
        wrong = sender.wrong_holder(token.cnf, by.proof)
        if wrong is not None:
            return Refusal(ErrorCode.INVALID_REQUEST, wrong)
    authorization = await found.authorizations.live(token.authorization, token.jti, found.clock(), before=token.before)
    return _NOT_HELD if authorization is None else (token, authorization)

"""OIDC Core §5.3: GET and POST /userinfo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from idp.protocol import bearer, cors, encrypting, issue, sender
from idp.protocol.encrypting import NoKey
from idp.protocol.release import NotReleased, attempted, release
from idp.protocol.services import services
from idp.spec import prompt, scopes
from idp.spec.errors import Refusal
from idp.userinfo import answers

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.spec.at_jwt import AccessToken


CHANNEL: Final = "userinfo"


async def userinfo(request: Request) -> Response:
    """Tell what may be told. The read is recorded before the answer leaves; its entry is named in X-Access-Log-Id."""
    found = services(request)
    token = await bearer.held(request, found)
    if isinstance(token, Refusal):
        return bearer.refused(token)
    standing = await _standing(token, found)
    if isinstance(standing, Refusal):
        return bearer.refused(standing)
    client, authorization = standing
    released = await release(found, authorization, CHANNEL, _names(authorization, token))
    if isinstance(released, NotReleased):
        return bearer.refused(bearer.INVALID)
    # §5.3.2: "The sub (subject) Claim MUST always be returned in the UserInfo Response."
    content = {**released.claims, "sub": issue.subject(found, client, authorization.person)}
    headers = {"x-access-log-id": released.entry_id} if released.entry_id else {}
    try:
        return await answers.told(found, client, content, headers)
    except NoKey:
        return bearer.refused(encrypting.REFUSAL)


async def _standing(token: AccessToken, found: Services) -> tuple[Client, Authorization] | Refusal:
    """Say what a token stands on, if it still stands."""
    if token.authorization is None or scopes.OPENID not in token.scope:
        return bearer.insufficient(scopes.OPENID)
    client = await found.clients.get(token.client_id)
    authorization = await found.authorizations.live(token.authorization, token.jti, found.clock(), before=token.before)
    if client is None or authorization is None or authorization.client != client.id:
        await attempted(found, token, CHANNEL)
        return bearer.INVALID
    if not prompt.satisfies(authorization.acr, client.default_acr_values):
        return bearer.step_up(client.default_acr_values)
    return client, authorization


def _names(authorization: Authorization, token: AccessToken) -> frozenset[str]:
    """Give the claims of this token: a refreshed one may have a narrower scope than was granted (RFC 6749 §6)."""
    given_up = scopes.claims_of(authorization.scope) - scopes.claims_of(token.scope)
    return authorization.claims.get("userinfo", frozenset()) - given_up


routes = [Route("/userinfo", cors.registered(sender.offering(userinfo), methods="GET, POST"), methods=["GET", "POST", "OPTIONS"])]

"""RFC 7662: POST /introspect. Only confidential applications ask; `sub` is told in the asker's own sector (design §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from idp.clients.self_registered import unchecked
from idp.introspect import answers
from idp.protocol import bearer, encrypting, issue, sender
from idp.protocol.answers import refused
from idp.protocol.client_authentication import read_caller
from idp.protocol.encrypting import NoKey
from idp.protocol.services import services
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.id_token import audience

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.authorizations.records import Authorization
    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.spec.at_jwt import AccessToken

# §2.2: "If the introspection call is properly authorized but the token is not active […], the authorization server MUST return an
# introspection response with the "active" field set to "false". […] [It] SHOULD NOT include any additional information".
INACTIVE: Final = {"active": False}


async def introspect(request: Request) -> Response:
    """Answer whether a token holds at this moment."""
    found = services(request)
    called = await read_caller(request, found)
    if isinstance(called, Refusal):
        return refused(called)
    caller, sent = called
    if caller.public:
        # §2.1: "the endpoint MUST also require some form of authorization to access this endpoint"
        return refused(Refusal(ErrorCode.INVALID_CLIENT, "Only clients that authenticate may introspect.", 401))
    token = sent.get("token")
    if token is None:
        return refused(Refusal(ErrorCode.INVALID_REQUEST, "token is required."))
    members = await _access_token(token, caller, found) or await _refresh_token(token, caller, found) or INACTIVE
    try:
        return await answers.told(request, found, caller, members)
    except NoKey:
        return refused(encrypting.REFUSAL)


async def _access_token(presented: str, caller: Client, found: Services) -> Mapping[str, Any] | None:
    token = await bearer.read(presented, found, anywhere=True)
    if token is None:
        return None
    if await found.clients.get(token.client_id) is None or not await _may_use(token, caller, found):
        return INACTIVE
    if token.authorization is None:
        return INACTIVE if await found.authorizations.token_revoked(token.jti) else _members(token.claims, token.subject)
    authorization = await found.authorizations.live(token.authorization, token.jti, found.clock(), before=token.before)
    if authorization is None:
        return INACTIVE
    return _members(token.claims, issue.subject(found, caller, authorization.person)) | _details(authorization)


async def _may_use(token: AccessToken, caller: Client, found: Services) -> bool:
    """Tell whether a token can be meant for who asks.

    §4: "If the token can be used only at certain resource servers, the authorization server MUST determine whether or not the token can be
    used at the resource server making the introspection call." Those that are handed on name services by client_id; of other resources
    nobody registered whose they are, so that every application of the city's agencies may ask, and no other.
    """
    meant = audience(token.claims)
    if caller.id == token.client_id or caller.id in meant:
        return True
    if unchecked(caller, caller.default_purpose or ""):
        return False
    return not all([await found.clients.get(one) is not None for one in meant])


def _members(claims: Mapping[str, Any], subject: str) -> dict[str, Any]:
    shown = ("iss", "aud", "exp", "iat", "jti", "client_id", "scope", "auth_time", "acr", "amr", "cnf", "act")
    kind = sender.token_type(claims.get("cnf", {}))  # RFC 9449 §6.2, RFC 8705 §3.2: whoever asks must check the holder, too
    return {"active": True, "token_type": kind, "sub": subject} | {name: claims[name] for name in shown if name in claims}


def _details(authorization: Authorization) -> dict[str, Any]:
    """RFC 9396 §9.2: "authorization_details" as a member of the introspection response; and the citizen's purpose, a member of our own."""
    purpose = {"purpose": authorization.purpose}
    return purpose | ({"authorization_details": list(authorization.details)} if authorization.details else {})


async def _refresh_token(presented: str, caller: Client, found: Services) -> Mapping[str, Any] | None:
    """Tell about a refresh token to its own client only."""
    authorization = await found.authorizations.by_refresh_token(presented, found.clock())
    return None if authorization is None or authorization.client != caller.id else _about(authorization, caller, found)


def _about(authorization: Authorization, caller: Client, found: Services) -> dict[str, Any]:
    return {
        "active": True,
        "client_id": authorization.client,
        "scope": " ".join(authorization.scope),
        "sub": issue.subject(found, caller, authorization.person),
        "iss": found.settings.issuer,
        "exp": int(authorization.ends_at.timestamp()),
        "iat": int(authorization.created_at.timestamp()),
    } | _details(authorization)


routes = [Route("/introspect", introspect, methods=["POST"])]

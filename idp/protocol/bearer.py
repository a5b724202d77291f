"""RFC 6750: the access token of a request, and what to answer when there is none, or a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.protocol.answers import answer
from idp.spec import at_jwt
from idp.spec.errors import ErrorCode, Refusal
from idp.web.parameters import body, is_form
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services
    from idp.spec.at_jwt import AccessToken

REALM: Final = "gerbang"
MAX_LENGTH: Final = 8192
MISSING: Final = Refusal(ErrorCode.INVALID_REQUEST, "", 401)
INVALID: Final = Refusal(ErrorCode.INVALID_TOKEN, "The access token expired, was revoked, or is not one of this provider.", 401)
_TWICE: Final = Refusal(ErrorCode.INVALID_REQUEST, "Send the access token once: in the Authorization header or in the body.")


def insufficient(scope: str) -> Refusal:
    """RFC 6750 §3.1: "The request requires higher privileges than provided by the access token."."""
    return Refusal(ErrorCode.INSUFFICIENT_SCOPE, f"This needs a token with scope {scope}.", 403)


async def token_of(request: Request) -> str | Refusal:
    """Find the token: in the header (any case of the scheme), or in the form of a POST; never in the query.

    RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request." §2.3 (query) is SHOULD NOT: refused.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        return _TWICE
    scheme, _, header = (headers or [""])[0].partition(" ")
    in_header = header.strip() if scheme.lower() == "bearer" else ""
    in_body = await _in_body(request)
    if isinstance(in_body, Refusal):
        return in_body
    if in_header and in_body:
        return _TWICE
    token = in_header or in_body
    if len(token) > MAX_LENGTH:
        return INVALID
    return token or MISSING


async def _in_body(request: Request) -> str | Refusal:
    """RFC 6750 §2.2: only where the content type is the form's, and never with GET."""
    if request.method != "POST" or not is_form(request.headers.get("content-type", "")):
        return ""
    found = await body(request)
    if found.problem is not None or "access_token" in found.repeated:
        return Refusal(ErrorCode.INVALID_REQUEST, "The body cannot be read, or names access_token twice.")
    return found.get("access_token") or ""


async def read(token: str, found: Services) -> AccessToken | None:
    """Verify an access token of ours: signature, type, issuer, audience, time. Whether it was revoked is not looked at here."""
    try:
        claims = await found.keyring.signing.verify(token, algorithms=(at_jwt.ALGORITHM,), type=at_jwt.TYPE)
    except TokenInvalid:
        return None
    return at_jwt.read(claims, issuer=found.settings.issuer, now=int(found.clock().timestamp()))


def refused(refusal: Refusal) -> Response:
    """Answer as RFC 6750 §3 says.

    §3.1: "If the request lacks any authentication information […], the resource server SHOULD NOT include an error code or other error
    information."
    """
    challenge = f'Bearer realm="{REALM}"'
    if refusal is MISSING:
        return answer({"error": "invalid_token", "error_description": "Send an access token."}, 401, {"www-authenticate": challenge})
    parameters = refusal.parameters()
    challenge += "".join(f', {name}="{value}"' for name, value in parameters.items())
    if refusal.error is ErrorCode.INSUFFICIENT_SCOPE:
        challenge += ', scope="openid"'
    return answer(parameters, refusal.status, {"www-authenticate": challenge})

"""RFC 6750, RFC 9449 §7, RFC 9470 §3: the access token of a request, and what to answer when there is none, or a wrong one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from idp.protocol import sender
from idp.protocol.answers import answer
from idp.spec import at_jwt, dpop
from idp.spec.errors import ErrorCode, Refusal
from idp.web.parameters import body, is_form
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services
    from idp.spec.at_jwt import AccessToken

REALM: Final = "gerbang"
MAX_LENGTH: Final = 8192
SCHEMES: Final = frozenset({"bearer", dpop.SCHEME})
MISSING: Final = Refusal(ErrorCode.INVALID_REQUEST, "", 401)
INVALID: Final = Refusal(ErrorCode.INVALID_TOKEN, "The access token expired, was revoked, or is not one of this provider.", 401)
_SCHEME: Final = Refusal(ErrorCode.INVALID_TOKEN, "Send this token with the scheme of its token_type: DPoP with a proof, or Bearer.", 401)
_TWICE: Final = Refusal(ErrorCode.INVALID_REQUEST, "Send the access token once: in the Authorization header or in the body.")


@dataclass(frozen=True, slots=True)
class TooNarrow(Refusal):
    """RFC 6750 §3: the token's scope does not suffice; `scope` is "the required scope of the access token"."""

    scope: str = ""


def insufficient(scope: str) -> TooNarrow:
    """RFC 6750 §3.1: "The request requires higher privileges than provided by the access token."."""
    return TooNarrow(ErrorCode.INSUFFICIENT_SCOPE, f"This needs a token with scope {scope}.", 403, scope)


@dataclass(frozen=True, slots=True)
class Presented:
    """An access token as it was sent; `scheme` is `bearer` or `dpop` (RFC 9449 §7.1)."""

    token: str = field(repr=False)
    scheme: str


async def token_of(request: Request) -> Presented | Refusal:
    """Find the token: in the header (any case of the scheme), or in the form of a POST; never in the query.

    RFC 6750 §2: "Clients MUST NOT use more than one method to transmit the token in each request." §2.3 (query) is SHOULD NOT: refused.
    """
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        return _TWICE
    scheme, _, header = (headers or [""])[0].partition(" ")
    scheme = scheme.lower()
    in_header = header.strip() if scheme in SCHEMES else ""
    in_body = await _in_body(request)
    if isinstance(in_body, Refusal):
        return in_body
    if in_header and in_body:
        return _TWICE
    token = in_header or in_body
    if len(token) > MAX_LENGTH:
        return INVALID
    return Presented(token, scheme if in_header else "bearer") if token else MISSING


async def held(request: Request, found: Services) -> AccessToken | Refusal:
    """Give the access token of a request, verified, and sent by its holder. Whether it was revoked is not looked at here.

    RFC 9449 §7.2: a token that is bound to a key must not pass as a bearer token, nor the other way round.
    """
    presented = await token_of(request)
    if isinstance(presented, Refusal):
        return presented
    token = await read(presented.token, found)
    if token is None:
        return INVALID
    if (presented.scheme == dpop.SCHEME) != (sender.JKT in token.cnf):
        return _SCHEME
    proof = await sender.proven(request, found, access_token=presented.token) if token.cnf else sender.NOTHING
    if isinstance(proof, Refusal):
        return Refusal(proof.error, proof.description, 401)
    wrong = sender.wrong_holder(token.cnf, proof)
    return token if wrong is None else Refusal(ErrorCode.INVALID_TOKEN, wrong, 401)


async def _in_body(request: Request) -> str | Refusal:
    """RFC 6750 §2.2: only where the content type is the form's, and never with GET."""
    if request.method != "POST" or not is_form(request.headers.get("content-type", "")):
        return ""
    found = await body(request)
    if found.problem is not None or "access_token" in found.repeated:
        return Refusal(ErrorCode.INVALID_REQUEST, "The body cannot be read, or names access_token twice.")
    return found.get("access_token") or ""


async def read(token: str, found: Services, *, anywhere: bool = False) -> AccessToken | None:
    """Verify an access token of ours: signature, type, issuer, audience, time. Whether it was revoked is not looked at here.

    `anywhere`: also one that is for another resource server (RFC 8707), to tell about it or to revoke it.
    """
    try:
        claims = await found.keyring.signing.verify(token, algorithms=(at_jwt.ALGORITHM,), type=at_jwt.TYPE)
    except TokenInvalid:
        return None
    issuer = found.settings.issuer
    return at_jwt.read(claims, issuer=issuer, audience=None if anywhere else issuer, now=int(found.clock().timestamp()))


@dataclass(frozen=True, slots=True)
class StepUp(Refusal):
    """RFC 9470 §3: the sign-in behind the token does not suffice; `acr_values` says which would."""

    acr_values: tuple[str, ...] = ()


def step_up(acr_values: tuple[str, ...]) -> StepUp:
    """Ask for a stronger sign-in than the token stands on."""
    text = "The citizen has to sign in more strongly: send them to /authorize with these acr_values."
    return StepUp(ErrorCode.INSUFFICIENT_USER_AUTHENTICATION, text, 401, acr_values)


def refused(refusal: Refusal) -> Response:
    """Answer as RFC 6750 §3 and RFC 9449 §7.1 say: one challenge for each scheme, the error beside the one that it concerns.

    RFC 6750 §3.1: "If the request lacks any authentication information […], the resource server SHOULD NOT include an error code or other
    error information."
    """
    if refusal is MISSING:
        return _challenging({"error": "invalid_token", "error_description": "Send an access token."}, 401, "", "")
    parameters = refusal.parameters()
    told = "".join(f', {name}="{value}"' for name, value in parameters.items())
    if isinstance(refusal, TooNarrow):
        told += f', scope="{refusal.scope}"'
    if isinstance(refusal, StepUp):
        told += f', acr_values="{" ".join(refusal.acr_values)}"'
    of_proof = refusal.error in {ErrorCode.INVALID_DPOP_PROOF, ErrorCode.USE_DPOP_NONCE}
    return _challenging(parameters, refusal.status, "" if of_proof else told, told if of_proof else "")


def _challenging(content: Mapping[str, str], status: int, bearer: str, proof: str) -> Response:
    response = answer(content, status, {"www-authenticate": f'Bearer realm="{REALM}"{bearer}'})
    response.headers.append("www-authenticate", f'DPoP realm="{REALM}"{proof}, algs="{" ".join(dpop.ALGORITHMS)}"')
    return response

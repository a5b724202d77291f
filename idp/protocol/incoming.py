"""RFC 9101 §6, RFC 9126 §4, OIDC Core §6: from what was sent to what is asked, wherever the parameters stand.

They come as they are, in a request object (by value or by reference, signed, perhaps encrypted to us), or were pushed before. Whichever it
is, the parameters beside it count for nothing: "The authorization server MUST only use the parameters in the Request Object, even if the
same parameter is provided in the query parameter" (RFC 9101 §6.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.interactions.pushed.store import PREFIX
from idp.protocol import client_keys
from idp.protocol.asked import Asked, Source, defaults_of
from idp.protocol.fetcher import FetchRefused
from idp.protocol.hints import hint
from idp.spec import request_object, resources
from idp.spec.authorization_request import KNOWN, PUSHED
from idp.spec.errors import ErrorCode, Refusal
from idp.web.parameters import Parameters
from keys.encryption import is_encrypted
from keys.errors import TokenInvalid
from keys.verification import read_unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.clients.records import Client
    from idp.protocol.asked import Registered
    from idp.protocol.services import Services

# OIDC Core §6.1: these two are always passed outside as well, "so that the request is a valid OAuth 2.0 Authorization Request"
_OUTSIDE_TOO = ("response_type", "scope")


async def read(found: Services, client: Client | None, sent: Parameters) -> Asked:
    """Say what is asked; what cannot be believed is a `problem`, what is not there any more is `gone`."""
    request, uri = sent.get("request"), sent.get("request_uri")
    if client is None or sent.problem is not None or (request is None and uri is None):
        return await _asked(found, client, joined(sent), Source.PLAIN)
    if uri is not None and uri.startswith(PREFIX):
        return await _pushed(found, client, sent, uri)
    unpacked = await unpack(found, client, sent)
    if isinstance(unpacked, Refusal):
        return await _asked(found, client, sent, Source.PLAIN, problem=unpacked)
    values, source = unpacked
    return await _asked(found, client, _parameters(values), source)


async def unpack(found: Services, client: Client, sent: Parameters) -> tuple[Mapping[str, str], Source] | Refusal:
    """Open the request object of `request` or `request_uri`: the parameters in it."""
    if sent.get("request") is not None and sent.get("request_uri") is not None:
        # RFC 9101 §5: "the client MAY send the authorization request using "request" or "request_uri", but MUST NOT use both"
        return Refusal(ErrorCode.INVALID_REQUEST, "Send request or request_uri, not both.")
    token = await _token(found, client, sent)
    if isinstance(token, Refusal):
        return token
    opened = await _opened(found, client, token, by_reference=sent.get("request") is None)
    return opened if isinstance(opened, Refusal) else _merged(client, sent, *opened)


def stored(asked: Registered) -> dict[str, str]:
    """Give the parameters as they are kept while somebody signs in: those we know, with what the application registered as its default."""
    said = {name: value for name, value in asked.asked.parameters.values.items() if name in KNOWN}
    # OIDC Registration §2: "The max_age request parameter overrides this default value."
    values = defaults_of(asked.client) | said | {"client_id": asked.client.id}
    return values if asked.asked.pushed is None else values | {PUSHED: asked.asked.pushed}


# --- pushed before -------------------------------------------------------------------------------------------------------------------


async def _pushed(found: Services, client: Client, sent: Parameters, uri: str) -> Asked:
    values = await found.pushed.open(uri, client.id, found.clock())
    if values is None:
        return await _asked(found, client, sent, Source.PLAIN, gone=True)
    return await _asked(found, client, _parameters(values), Source.PUSHED, pushed=uri)


# --- request objects -----------------------------------------------------------------------------------------------------------------


async def _token(found: Services, client: Client, sent: Parameters) -> str | Refusal:
    """Give the object by value, or fetch it.

    RFC 9101 §10.4.1: the server should "only access request_uri values that are registered", so that it can be sent nowhere else.
    """
    uri = sent.get("request_uri")
    if uri is None:
        return sent.get("request") or ""
    if not client.request_uris:
        return Refusal(ErrorCode.REQUEST_URI_NOT_SUPPORTED, "This client has registered no request_uris: push the request to /par.")
    if uri not in client.request_uris:
        return Refusal(ErrorCode.INVALID_REQUEST_URI, "This request_uri is not registered for the client.")
    try:
        fetched = await found.fetcher.get(uri, accept="*/*", limit=request_object.MAX_LENGTH)
    except FetchRefused as refused:
        return Refusal(ErrorCode.INVALID_REQUEST_URI, f"The request object cannot be fetched: {refused}")
    return fetched.body.decode("ascii", "replace").strip()


async def _opened(found: Services, client: Client, token: str, *, by_reference: bool) -> tuple[Mapping[str, str], Source] | Refusal:
    """Decrypt, verify, check: RFC 9101 §6."""
    try:
        if is_encrypted(token):
            token = (await found.keyring.signing.decrypt(token)).decode("ascii", "replace")
        unsigned = read_unsigned(token)
        if unsigned is not None and not _may_be_unsigned(client):
            return _not_signed(client, by_reference=by_reference)
        verified = unsigned or await client_keys.verify(found, client, token, algorithms=_algorithms(client))
    except TokenInvalid as invalid:
        return _invalid(invalid.reason)
    except FetchRefused as refused:
        return _invalid(f"your keys cannot be fetched: {refused}")
    typ = verified.header.get("typ")
    if typ is not None and str(typ).lower().removeprefix("application/") not in {known.lower() for known in request_object.TYPES}:
        return _invalid(f"its typ must be {request_object.TYPES[0]}")
    read_ = request_object.read(verified.claims, _demands(found, client, signed=unsigned is None))
    return _invalid(read_) if isinstance(read_, str) else (read_, Source.SIGNED if unsigned is None else Source.UNSIGNED)


def _may_be_unsigned(client: Client) -> bool:
    """RFC 9101 §10.2 (a): only where the client registered it, and never under a profile that asks for more."""
    return client.request_object_signing_alg == "none" and client.profile == "openid" and not client.require_signed_request_object


def _not_signed(client: Client, *, by_reference: bool) -> Refusal:
    if client.profile != "openid":
        return _invalid("it is not signed")
    code = ErrorCode.REQUEST_URI_NOT_SUPPORTED if by_reference else ErrorCode.REQUEST_NOT_SUPPORTED
    return Refusal(code, "Sign the request object, or register request_object_signing_alg none.")


def _algorithms(client: Client) -> tuple[str, ...]:
    """RFC 9101 §10.1: "The signing algorithm […] MUST be the one registered", where one is."""
    allowed = request_object.FAPI_ALGORITHMS if client.fapi else request_object.ALGORITHMS
    registered = client.request_object_signing_alg
    return allowed if registered in {None, "none"} else tuple(name for name in allowed if name == registered)


def _demands(found: Services, client: Client, *, signed: bool) -> request_object.Demands:
    return request_object.Demands(
        client_id=client.id,
        issuer=found.settings.issuer,
        now=int(found.clock().timestamp()),
        whole=signed and client.profile != "openid",
        short_lived=client.fapi,
    )


def _merged(client: Client, sent: Parameters, inside: Mapping[str, str], source: Source) -> tuple[Mapping[str, str], Source] | Refusal:
    """Take what stands inside; what OIDC Core §6.1 wants outside has to agree, and for profile `openid` may stand there alone."""
    outside = sent.get("response_type")
    if outside is not None and "response_type" in inside and set(outside.split()) != set(inside["response_type"].split()):
        return Refusal(ErrorCode.INVALID_REQUEST, "response_type differs inside and outside the request object.")
    values = {**inside, "client_id": client.id}
    if client.profile == "openid":
        values = {name: value for name in _OUTSIDE_TOO if (value := sent.get(name)) is not None} | values
    return values, source


def _invalid(why: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST_OBJECT, f"The request object is refused: {why}.")


# --- as values -----------------------------------------------------------------------------------------------------------------------


async def _asked(
    found: Services,
    client: Client | None,
    sent: Parameters,
    source: Source,
    *,
    problem: Refusal | None = None,
    gone: bool = False,
    pushed: str | None = None,
) -> Asked:
    return Asked(
        sent,
        client,
        await hint(sent.get("id_token_hint"), found),
        source,
        problem,
        gone,
        pushed,
        issuer=found.settings.issuer,
        certification=found.settings.certification,
    )


def _parameters(values: Mapping[str, str]) -> Parameters:
    return Parameters(values, {name: (value,) for name, value in values.items()})


def joined(sent: Parameters) -> Parameters:
    """Write several `resource` parameters as one value. A space in one of them is none of a URI: it is left to be refused."""
    several = sent.lists.get("resource", ())
    if len(several) <= 1:
        return sent
    whole = resources.joined(value if " " not in value else "#" for value in several)
    return Parameters({**sent.values, "resource": whole}, sent.lists, sent.repeated, sent.problem)

"""RFC 6749 §2.3, §3.2.1, RFC 7523 §2.2, RFC 8705 §2, OIDC Core §9: which application is calling.

An application authenticates with the one method that it registered. Secrets are compared as keyed digests in constant time.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from idp.protocol import client_certificates, client_keys
from idp.protocol.answers import read_form
from idp.protocol.fetcher import FetchRefused
from idp.spec import client_assertion
from idp.spec.errors import ErrorCode, Refusal
from keys.errors import TokenInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.web.parameters import Parameters

_NOBODY: Final = b"\0" * 32
_WRONG: Final = Refusal(ErrorCode.INVALID_CLIENT, "The client is unknown, or its credentials are wrong.", 401)
_FAPI_METHODS: Final = ("private_key_jwt", *client_certificates.METHODS)  # FAPI 2.0 Security Profile §5.3.2.1 (6)
_TWO: Final = Refusal(ErrorCode.INVALID_REQUEST, "Authenticate in one way only: header, client_secret or client_assertion.")


@dataclass(frozen=True, slots=True)
class Presented:
    """What a caller presented: the method, for which client_id, and the secret or assertion."""

    method: str
    client_id: str
    credential: str = field(default="", repr=False)


async def read_caller(request: Request, found: Services) -> tuple[Client, Parameters] | Refusal:
    """Read a form, and say which application sent it: how every endpoint that programs call begins."""
    sent = await read_form(request)
    if isinstance(sent, Refusal):
        return sent
    client = await authenticate(request, sent, found)
    return client if isinstance(client, Refusal) else (client, sent)


async def authenticate(request: Request, parameters: Parameters, found: Services) -> Client | Refusal:
    """Say which application calls. A public one is only named (RFC 6749 §3.2.1), not proven."""
    headers = request.headers.getlist("authorization")
    presented = read(headers[0] if headers else None, parameters) if len(headers) <= 1 else _TWO
    if isinstance(presented, Refusal):
        return presented
    client = await found.clients.get(presented.client_id)
    if client is not None and client.fapi and client.auth_method not in _FAPI_METHODS:
        return Refusal(ErrorCode.INVALID_CLIENT, f"Profile fapi2 authenticates by one of {', '.join(_FAPI_METHODS)}.", 401)
    if presented.method == "private_key_jwt":
        return await _by_assertion(request, client, presented, found)
    if presented.method == "none" and client is not None and client.auth_method in client_certificates.METHODS:
        return await client_certificates.authenticate(request, client, found)
    if presented.method == "none":
        return client if client is not None and client.public else _other_method(client) or _WRONG
    return _by_secret(client, presented, found)


def read(authorization: str | None, parameters: Parameters) -> Presented | Refusal:
    """Read credentials from a request.

    RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
    """
    secret, assertion = parameters.get("client_secret"), parameters.get("client_assertion")
    if (authorization is not None) + (secret is not None) + (assertion is not None) > 1:
        return _TWO
    client_id = parameters.get("client_id")
    if authorization is not None:
        return _basic(authorization, client_id)
    if assertion is not None:
        return _assertion(assertion, parameters.get("client_assertion_type"), client_id)
    if client_id is None:
        return Refusal(ErrorCode.INVALID_CLIENT, "Say which client is calling: there are no credentials and no client_id.", 401)
    return Presented("none", client_id) if secret is None else Presented("client_secret_post", client_id, secret)


def _basic(authorization: str, client_id: str | None) -> Presented | Refusal:
    """RFC 6749 §2.3.1: client_id and secret are encoded as application/x-www-form-urlencoded before they become user and password."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        return Refusal(ErrorCode.INVALID_CLIENT, "The Authorization header is not Basic with client_id and secret.", 401)
    named = unquote_plus(user)
    if client_id is not None and client_id != named:
        return Refusal(ErrorCode.INVALID_REQUEST, "client_id and the Authorization header name different clients.")
    return Presented("client_secret_basic", named, unquote_plus(password))


def _assertion(assertion: str, kind: str | None, client_id: str | None) -> Presented | Refusal:
    if kind != client_assertion.TYPE:
        return Refusal(ErrorCode.INVALID_REQUEST, f"client_assertion_type must be {client_assertion.TYPE}.")
    named = client_assertion.names(assertion)
    if named is None or (client_id is not None and client_id != named):
        # RFC 7521 §4.2: client_id "MUST identify the same client as is identified by the client assertion"
        return Refusal(ErrorCode.INVALID_CLIENT, "The assertion does not name the client that calls.", 401)
    return Presented("private_key_jwt", named, assertion)


def _by_secret(client: Client | None, presented: Presented, found: Services) -> Client | Refusal:
    digest = found.clients.secret_digest(presented.client_id, presented.credential)
    right = hmac.compare_digest(digest, (client.secret_digest if client else None) or _NOBODY)
    if client is not None and client.auth_method != presented.method:
        return _other_method(client) or _WRONG
    return client if client is not None and right else _WRONG


async def _by_assertion(request: Request, client: Client | None, presented: Presented, found: Services) -> Client | Refusal:
    if client is None or client.auth_method != "private_key_jwt":
        return _other_method(client) or _WRONG
    allowed = client_assertion.algorithms(fapi=client.fapi, registered=client.token_endpoint_auth_signing_alg)
    try:
        verified = await client_keys.verify(found, client, presented.credential, algorithms=allowed)
    except TokenInvalid:
        why = f"The assertion is not signed by a registered key of this client, with {' or '.join(allowed)}."
        return Refusal(ErrorCode.INVALID_CLIENT, why, 401)
    except FetchRefused as refused:
        return Refusal(ErrorCode.INVALID_CLIENT, f"The keys of this client cannot be read from its jwks_uri. {refused}", 401)
    if not client_assertion.is_typed(verified.header):
        return Refusal(ErrorCode.INVALID_CLIENT, "The assertion is a JWT of another type.", 401)
    return await _used_up(verified.claims, client, _audiences(request, client, found), found)


async def _used_up(claims: Mapping[str, Any], client: Client, audiences: tuple[str, ...], found: Services) -> Client | Refusal:
    """Check what a signed assertion says, and use it up."""
    now = int(found.clock().timestamp())
    read_ = client_assertion.read(claims, client_id=client.id, audiences=audiences, now=now, single=client.fapi)
    if isinstance(read_, str):
        return Refusal(ErrorCode.INVALID_CLIENT, f"The assertion is refused: {read_}.", 401)
    until = dt.datetime.fromtimestamp(read_.expires + client_assertion.LEEWAY + 1, dt.UTC)
    if not await found.clients.use_assertion(client.id, read_.jti, until):
        return Refusal(ErrorCode.INVALID_CLIENT, "The assertion was used before: make a new one, with a new jti, for each request.", 401)
    return client


def _audiences(request: Request, client: Client, found: Services) -> tuple[str, ...]:
    """Name whom an assertion may be for.

    RFC 9126 §2: "the authorization server MUST accept its issuer identifier, token endpoint URL, or pushed authorization request endpoint
    URL as values that identify it as an intended audience"; FAPI 2.0 §5.3.2.1 (12) leaves the issuer only.
    """
    issuer = found.settings.issuer
    return (issuer,) if client.fapi else (issuer, f"{issuer}/token", f"{issuer}{request.url.path}")


def _other_method(client: Client | None) -> Refusal | None:
    """Tell the programmer what was registered: a client_id is public, and so is how it authenticates."""
    if client is None:
        return None
    return Refusal(ErrorCode.INVALID_CLIENT, f"This client is registered for token_endpoint_auth_method {client.auth_method}.", 401)

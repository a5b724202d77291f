"""RFC 6749 §4.1.2, §4.1.2.1, RFC 9207, JARM, Form Post Response Mode: the answer to an authorization request, good or bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from idp.protocol import client_keys
from idp.protocol.fetcher import FetchRefused
from idp.protocol.services import services
from idp.spec import jarm, response_modes
from idp.spec.response_modes import ResponseMode
from idp.web.errors import PageError
from idp.web.headers import form_target
from keys import encryption
from keys.errors import EncryptionKeyMissing

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.spec.authorization_request import AuthorizationRequest
    from idp.spec.errors import Refusal


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an answer goes, and how."""

    redirect_uri: str
    mode: ResponseMode
    response_type: str


async def success(request: Request, client: Client, asked: AuthorizationRequest, parameters: dict[str, str]) -> Response:
    """Answer with a code, or with what else the response type asks for."""
    destination = Destination(asked.redirect_uri, asked.response_mode, asked.response_type)
    return await send(request, client, destination, _with_state(parameters, asked.state))


async def error(request: Request, client: Client, asked: AuthorizationRequest, refusal: Refusal) -> Response:
    """Answer with an error."""
    return await success(request, client, asked, refusal.parameters())


async def send(request: Request, client: Client, destination: Destination, parameters: dict[str, str]) -> Response:
    """Carry parameters to a redirect URI that was found to be registered.

    RFC 9207 §2: "In authorization responses to the client, including error responses, an authorization server supporting this specification
    MUST indicate its identity by including the iss parameter in the response."
    """
    found, redirect_uri = services(request), destination.redirect_uri
    carrier = response_modes.carrier(destination.mode, destination.response_type)
    whole = parameters | {"iss": found.settings.issuer}
    if destination.mode.signed:
        whole = {jarm.PARAMETER: await _signed(found, client, parameters)}
    if carrier is ResponseMode.FORM_POST:
        page = found.renderer.page(
            request,
            "authorize/form_post.html",
            form_action=[form_target(redirect_uri)],
            action=redirect_uri,
            parameters=whole,
            service=client.name,
        )
        page.headers["cache-control"] = "no-store"
        return page
    # RFC 9700 §4.12: "the authorization server MUST NOT use HTTP status code 307"; 303 turns any method into GET.
    return RedirectResponse(response_modes.location(redirect_uri, whole, fragment=carrier is ResponseMode.FRAGMENT), 303)


async def _signed(found: Services, client: Client, parameters: dict[str, str]) -> str:
    """Sign a response, then encrypt it where the application registered so (JARM §2.2: "signed and encrypted […] in that order").

    Raises: PageError ("service_keys"), when the application has no key to encrypt to: in clear it must not travel.
    """
    claims = jarm.claims(parameters, issuer=found.settings.issuer, client_id=client.id, now=int(found.clock().timestamp()))
    algorithm = jarm.algorithm(client.authorization_signed_response_alg, fapi=client.fapi)
    token = await found.keyring.signing.sign(claims, algorithm=algorithm, type=jarm.TYPE)
    if client.authorization_encrypted_response_alg is None:
        return token
    try:
        return encryption.encrypt(token, await client_keys.jwks_of(found, client), algorithm=client.authorization_encrypted_response_alg)
    except (EncryptionKeyMissing, FetchRefused):
        raise PageError("service_keys", 400) from None


def _with_state(parameters: dict[str, str], state: str | None) -> dict[str, str]:
    """RFC 6749 §4.1.2: state is "REQUIRED if the "state" parameter was present in the client authorization request"."""
    return parameters if state is None else parameters | {"state": state}

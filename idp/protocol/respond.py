"""RFC 6749 §4.1.2, §4.1.2.1, RFC 9207, OAuth 2.0 Form Post Response Mode: the answer to an authorization request, good or bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from idp.protocol.services import services
from idp.spec import response_modes
from idp.spec.response_modes import ResponseMode
from idp.web.headers import form_target

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.clients.records import Client
    from idp.spec.authorization_request import AuthorizationRequest
    from idp.spec.errors import Refusal


def code(request: Request, client: Client, asked: AuthorizationRequest, code_: str) -> Response:
    """Answer with a code."""
    return send(request, client, asked.redirect_uri, asked.response_mode, _with_state({"code": code_}, asked.state))


def error(request: Request, client: Client, asked: AuthorizationRequest, refusal: Refusal) -> Response:
    """Answer with an error."""
    return send(request, client, asked.redirect_uri, asked.response_mode, _with_state(refusal.parameters(), asked.state))


def send(request: Request, client: Client, redirect_uri: str, mode: ResponseMode, parameters: dict[str, str]) -> Response:
    """Carry parameters to a redirect URI that was found to be registered.

    RFC 9207 §2: "In authorization responses to the client, including error responses, an authorization server supporting this specification
    MUST indicate its identity by including the iss parameter in the response."
    """
    found = services(request)
    whole = parameters | {"iss": found.settings.issuer}
    if mode is ResponseMode.FORM_POST:
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
    return RedirectResponse(response_modes.location(redirect_uri, whole), 303)


def _with_state(parameters: dict[str, str], state: str | None) -> dict[str, str]:
    """RFC 6749 §4.1.2: state is "REQUIRED if the "state" parameter was present in the client authorization request"."""
    return parameters if state is None else parameters | {"state": state}

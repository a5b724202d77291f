"""The sign-in page: identifier and password together, or "Lanjut sebagai …?" on a shared device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts import names
from idp.login import factor, passkey
from idp.protocol import current_session, page_forms, password_check, signing_in
from idp.protocol.ending import end_session
from idp.protocol.faces import face_of
from idp.protocol.services import services
from idp.web import cookies
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address, language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.faces import Face
    from idp.protocol.signing_in import Way

FORM = "login"


async def show(request: Request) -> Response:
    """Show the page, unless somebody is signed in and nobody asked for more."""
    onward = await signing_in.way(request)
    session = await current_session.optional(request)
    again = "again" in request.query_params
    if session is not None and onward.interaction is None and not session.unattended and not again:
        return page_forms.see_other(onward.next)
    if session is not None and session.unattended and _may_go_on(request, onward):
        return await _ask_who(request, onward, session.person)
    return await _form(request, onward)


def _may_go_on(request: Request, onward: Way) -> bool:
    """Say whether the old sign-in would do: not where the service demands a new one, and not after "Bukan saya"."""
    if "other" in request.query_params:
        return False
    return onward.interaction is None or not onward.interaction.demands_login


async def submit(request: Request) -> Response:
    """Take the form."""
    onward = await signing_in.way(request)
    fields = await page_forms.read(request, FORM)
    if "continue" in fields:
        return await signing_in.confirm(request, onward)
    if "other" in fields:
        return await _somebody_else(request, onward)
    attempt = password_check.Attempt(
        fields.get("identifier", ""), fields.get("password", ""), client_address(request), cookies.ensure_browser(request)
    )
    errors = _missing(request, attempt)
    if errors:
        return await _form(request, onward, status=422, errors=errors, identifier=attempt.identifier)
    outcome = await password_check.check(services(request), attempt)
    if isinstance(outcome, Wait):
        return await _wait(request, onward, outcome)
    if isinstance(outcome, password_check.Wrong):
        wrong = {"identifier": services(request).renderer.t(request, "login.wrong")}
        return await _form(request, onward, status=422, errors=wrong, identifier=attempt.identifier)
    proven = signing_in.Proven(person=outcome.account.person, amr=("pwd",), remembered=fields.get("remember") == "yes")
    return await signing_in.proceed(request, outcome.account, proven, onward)


async def _somebody_else(request: Request, onward: Way) -> Response:
    """Sign out whoever was signed in on this device ("Bukan saya"), and tell the services that took part in that session."""
    found = services(request)
    session = await current_session.optional(request)
    response = page_forms.see_other(onward.to("/login", other="1"))
    if session is not None:
        await end_session(found, session.id, detail="not-me")
        cookies.clear_session(response, found.settings)
    return response


async def _ask_who(request: Request, onward: Way, person: str) -> Response:
    found = services(request)
    initial = names.initial(await current_session.name_of(found, person))
    return found.renderer.page(
        request,
        "login/continue.html",
        form_action=onward.form_action,
        initial=initial,
        action=onward.to("/login"),
        client=await _face(request, onward),
    )


async def _form(
    request: Request, onward: Way, *, status: int = 200, errors: dict[str, str] | None = None, identifier: str | None = None
) -> Response:
    cookies.ensure_browser(request)
    return services(request).renderer.page(
        request,
        "login/form.html",
        status=status,
        form_action=onward.form_action,
        errors=errors or {},
        identifier=identifier if identifier is not None else _hint(onward),
        action=onward.to("/login"),
        enrol=onward.to("/enrol"),
        recover=onward.to("/recover"),
        by_passkey=onward.to(passkey.ALONE),
        upstreams=[(client.upstream.name, onward.to(f"/upstream/{name}")) for name, client in services(request).upstreams.items()],
        client=await _face(request, onward),
    )


async def _wait(request: Request, onward: Way, wait: Wait) -> Response:
    errors = {"identifier": services(request).renderer.t(request, "login.wait", wait=wait.lasting)}
    response = await _form(request, onward, status=429, errors=errors)
    response.headers["retry-after"] = str(wait.seconds)
    return response


def _missing(request: Request, attempt: password_check.Attempt) -> dict[str, str]:
    texts = services(request).renderer
    empty = {"identifier": not attempt.identifier.strip(), "password": not attempt.password}
    return {name: texts.t(request, f"login.missing.{name}") for name, missing in empty.items() if missing}


def _hint(onward: Way) -> str:
    """OIDC Core §3.1.2.1: login_hint is a "Hint to the Authorization Server about the login identifier"."""
    return (onward.interaction.request.login_hint or "") if onward.interaction else ""


async def _face(request: Request, onward: Way) -> Face | None:
    return await face_of(services(request), onward.interaction.client, language(request)) if onward.interaction else None


routes = [
    Route("/login", show, methods=["GET"]),
    Route("/login", submit, methods=["POST"]),
    *factor.routes,
    *passkey.routes,
]

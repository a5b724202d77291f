"""The overview, the password, and the sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.events.records import EventKind
from idp.protocol import current_session, ending, new_password, page_forms
from idp.protocol.passkeys import names as named
from idp.protocol.services import services
from idp.security import contact, factors, identity, own_password, passkeys
from idp.web.errors import PageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HOME = "/security"
DONE = frozenset(
    {
        "password",
        "totp",
        "totp_removed",
        "card_removed",
        "session",
        "sessions",
        "nik",
        "contact",
        "channel",
        "upstream",
        "passkey",
        "passkey_removed",
    }
)
SHOWN_EVENTS = frozenset({
    EventKind.SIGNED_IN, EventKind.SIGN_IN_FAILED, EventKind.FACTOR_FAILED, EventKind.PASSWORD_CHANGED, EventKind.RECOVERED,
    EventKind.TOTP_ADDED, EventKind.TOTP_REMOVED, EventKind.CARD_PRINTED, EventKind.CARD_REMOVED, EventKind.SLIP_PRINTED,
    EventKind.PASSKEY_ADDED, EventKind.PASSKEY_REMOVED, EventKind.CONTACT_CHANGED, EventKind.UPSTREAM_LINKED, EventKind.UPSTREAM_UNLINKED,
})  # fmt: skip


async def overview(request: Request) -> Response:
    """Show how the account is kept safe."""
    found, session = services(request), await current_session.required(request)
    account = await found.accounts.get(session.person)
    done = request.query_params.get("done")
    owned = await found.accounts.passkeys.of_person(session.person)
    linked = {link.upstream: link.linked_at for link in await found.accounts.links.of_person(session.person)}
    events = [event for event in await found.events.of_person(session.person) if event.kind in SHOWN_EVENTS]
    return found.renderer.page(
        request,
        "security/overview.html",
        account=account,
        passkeys=owned,
        names=await named(found, owned),
        card=await found.accounts.factors.card(session.person),
        sessions=await found.sessions.of_person(session.person, found.clock()),
        current=session.id,
        upstreams=[(name, client.upstream.name, linked.get(name)) for name, client in found.upstreams.items()],
        events=events,
        done=done if done in DONE else None,
    )


async def show_password(request: Request) -> Response:
    """Show the form."""
    await current_session.required(request)
    return services(request).renderer.page(request, "security/password.html", errors={})


async def change_password(request: Request) -> Response:
    """Change the password: the old one is asked, so that a phone left open is not enough."""
    found, session = services(request), await current_session.required(request)
    fields = await page_forms.read(request, "change-password")
    errors = await _password_errors(request, session.person, fields.get("password", ""), fields.get("new_password", ""))
    if errors:
        return found.renderer.page(request, "security/password.html", status=422, errors=errors)
    await new_password.change(found, session.person, fields["new_password"], EventKind.PASSWORD_CHANGED, except_session=session.id)
    return page_forms.see_other(f"{HOME}?done=password")


async def _password_errors(request: Request, person: str, old: str, new: str) -> dict[str, str]:
    found = services(request)
    named = new_password.complaint(request, new, [await current_session.name_of(found, person)])
    wrong = await own_password.complaint(request, person, old)
    return ({"password": wrong} if wrong else {}) | ({"new_password": named} if named else {})


async def end_session(request: Request) -> Response:
    """End one of one's own sessions; this one too, which is signing out."""
    found, session = services(request), await current_session.required(request)
    await page_forms.read(request, "end-session")
    asked = request.path_params["session"]
    own = await found.sessions.get(asked, found.clock())
    if own is not None and own.person != session.person:
        raise PageError("not_found", 404)
    if own is not None:
        await ending.end_session(found, asked, detail="by-owner")
    return page_forms.see_other("/" if asked == session.id else f"{HOME}?done=session")


async def end_others(request: Request) -> Response:
    """End every session but this one, and forget the devices: they are strangers again."""
    found, session = services(request), await current_session.required(request)
    await page_forms.read(request, "end-sessions")
    await ending.end_sessions(found, session.person, except_id=session.id, detail="by-owner")
    await found.events.forget_devices(session.person)
    return page_forms.see_other(f"{HOME}?done=sessions")


routes = [
    Route(HOME, overview, methods=["GET"]),
    Route(f"{HOME}/password", show_password, methods=["GET"]),
    Route(f"{HOME}/password", change_password, methods=["POST"]),
    Route(f"{HOME}/sessions/end", end_others, methods=["POST"]),
    Route(f"{HOME}/sessions/{{session}}/end", end_session, methods=["POST"]),
    *factors.routes,
    *passkeys.routes,
    *identity.routes,
    *contact.routes,
]

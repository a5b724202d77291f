"""The three pages of enrolling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts.drafts.records import Draft
from idp.accounts.records import Identifier, IdentifierKind
from idp.enrol import proof, rules
from idp.enrol.proof import draft_of
from idp.protocol import new_password, page_forms, signing_in
from idp.protocol.services import services
from idp.web import cookies
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address, language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.signing_in import Way


async def show(request: Request) -> Response:
    """Ask who somebody is: three fields."""
    return _first(request, await signing_in.way(request), {}, {})


async def submit(request: Request) -> Response:
    """Take the first page. Whether the address is taken, it does not say."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "enrol")
    read = rules.read(fields, found.clock().date())
    if not isinstance(read, rules.Who):
        errors = {field: found.renderer.t(request, f"enrol.wrong.{complaint}") for field, complaint in read.items()}
        return _first(request, onward, fields, errors, status=422)
    draft = Draft("", read.name, read.birthdate.isoformat(), read.contact.kind, read.contact.value, language(request))
    kept = await found.accounts.drafts.begin(
        draft, cookies.ensure_browser(request), found.clock(), lifetime=found.settings.enrolment_lifetime
    )
    return page_forms.see_other(onward.to("/enrol/password", draft=kept.id))


def _first(request: Request, onward: Way, fields: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200) -> Response:
    return services(request).renderer.page(
        request,
        "enrol/who.html",
        status=status,
        fields={name: fields.get(name, "") for name in ("name", "birthdate", "identifier")},
        errors={name: errors[name] for name in errors},
        wrong={name: errors.get(name) for name in ("name", "birthdate", "identifier")},
        action=onward.to("/enrol"),
        login=onward.to("/login"),
    )


async def show_password(request: Request) -> Response:
    """Ask for a password."""
    onward = await signing_in.way(request)
    draft = await draft_of(request)
    return _password(request, onward, draft)


async def submit_password(request: Request) -> Response:
    """Take the password, and send a code to the address."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "enrol-password")
    draft = await draft_of(request)
    password = fields.get("password", "")
    complaint = new_password.complaint(request, password, (draft.name, draft.contact))
    if complaint:
        return _password(request, onward, draft, complaint, status=422)
    taken = await found.limits.enrolment(client_address(request))  # before the hash, which costs us more than it costs who asks
    if isinstance(taken, Wait):
        return _password(request, onward, draft, found.renderer.t(request, "enrol.wait", wait=taken.lasting), status=429)
    hashed = await found.keyring.passwords.hash(password)
    draft = replace(draft, password_hash=hashed)
    await found.accounts.drafts.save(draft)
    return await proof.send_code(request, onward, draft)


def _password(request: Request, onward: Way, draft: Draft, complaint: str | None = None, *, status: int = 200) -> Response:
    return services(request).renderer.page(
        request,
        "enrol/password.html",
        status=status,
        errors={"password": complaint} if complaint else {},
        complaint=complaint,
        username=draft.contact,
        action=onward.to("/enrol/password", draft=draft.id),
        by_phone=Identifier(IdentifierKind(draft.kind), draft.contact).kind is IdentifierKind.PHONE,
    )


routes = [
    Route("/enrol", show, methods=["GET"]),
    Route("/enrol", submit, methods=["POST"]),
    Route("/enrol/password", show_password, methods=["GET"]),
    Route("/enrol/password", submit_password, methods=["POST"]),
    *proof.routes,
]

"""The proof of an address: a code is sent, typed back, and the draft becomes an account.

A taken address shows the same page at the same cost; its owner gets a message, and no code of that page is ever right.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts import identifiers
from idp.accounts.proofs.records import Proven, Purpose
from idp.accounts.records import CLAIM_OF, Account, Identifier, IdentifierKind, Source, Value
from idp.events.records import EventKind
from idp.protocol import page_forms, sending_codes, signing_in
from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.drafts.records import Draft
    from idp.protocol.signing_in import Way
    from idp.web.rate_limits import Wait


async def draft_of(request: Request) -> Draft:
    """Give the draft that the address names, to the browser that began it. Raises: PageError, a page that leads to the start."""
    found = services(request)
    draft = await found.accounts.drafts.get(request.query_params.get("draft", ""), cookies.browser(request) or "", found.clock())
    if draft is None:
        raise PageError("enrolment_expired", 410, href="/enrol")
    return draft


async def send_code(request: Request, onward: Way, draft: Draft) -> Response:
    """Send a code and go to the page that asks for it."""
    found = services(request)
    contact = _contact(draft)
    wait = await sending_codes.allowed(request, found, f"enrol:{contact.kind}:{contact.value}")
    if wait is not None:
        return _page(request, onward, draft, error="wait", wait=wait, status=429)
    # a telephone is never taken: families share it
    owners = await found.accounts.find(contact)
    taken = bool(owners) and contact.kind is IdentifierKind.EMAIL
    recipient = sending_codes.to_address(
        contact, draft.channel, subject=None if taken else draft.id, notice="enrol_taken" if taken else None
    )
    proof = await sending_codes.send(request, found, Purpose.ENROL, "enrol_code", recipient)
    await found.accounts.drafts.save(replace(draft, proof=proof))
    kind, owner = (EventKind.ENROL_TAKEN, owners[0].person) if taken else (EventKind.ENROL_ASKED, None)
    await found.events.record(kind, at=found.clock(), person=owner)
    return page_forms.see_other(onward.to("/enrol/code", draft=draft.id))


async def show(request: Request) -> Response:
    """Ask for the code."""
    onward = await signing_in.way(request)
    return _page(request, onward, await _ready(request))


async def submit(request: Request) -> Response:
    """Take the code, or send another one (by the other channel, if wished)."""
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, "enrol-code")
    draft = await _ready(request)
    if fields.get("again") in {"mail", "sms", "whatsapp"}:
        return await send_code(request, onward, replace(draft, channel=fields["again"]))
    browser = cookies.browser(request) or ""
    used = await found.accounts.proofs.use(Purpose.ENROL, draft.proof or "", fields.get("code", ""), found.clock(), browser=browser)
    if not isinstance(used, Proven) or used.subject != draft.id:
        return _page(request, onward, draft, error="wrong", status=422)
    if not await found.accounts.drafts.finish(draft.id):
        raise PageError("finished", 409)
    return await _enrol(request, onward, draft)


async def _enrol(request: Request, onward: Way, draft: Draft) -> Response:
    found, contact = services(request), _contact(draft)
    proven = Value(CLAIM_OF[contact.kind], contact.value, Source.VERIFIED, "gerbang", "code")
    values = [Value("name", draft.name), Value("birthdate", draft.birthdate), proven]
    minor = signing_in.is_minor({"birthdate": draft.birthdate}, found.clock().date())
    made = await found.accounts.create(
        values=values,
        now=found.clock(),
        locale=draft.locale,
        password_hash=draft.password_hash,
        minor=minor,
        phone_channel=draft.channel if draft.channel == "whatsapp" else "sms",
    )
    if not isinstance(made, Account):  # somebody else proved the same address a moment ago
        raise PageError("enrolment_expired", 409, href="/enrol")
    await found.events.record(EventKind.ENROLLED, at=found.clock(), person=made.person, detail="minor" if minor else None)
    return await signing_in.finish(request, signing_in.Proven(person=made.person, amr=("pwd",)), onward)


async def _ready(request: Request) -> Draft:
    """Give a draft that got as far as this page. Raises: PageError."""
    draft = await draft_of(request)
    if draft.password_hash is None:
        raise PageError("enrolment_expired", 409, href="/enrol")
    return draft


def _page(
    request: Request, onward: Way, draft: Draft, *, error: str | None = None, wait: Wait | None = None, status: int = 200
) -> Response:
    found, contact = services(request), _contact(draft)
    sentence = found.renderer.t(request, f"enrol.code.{error}", wait=wait.lasting if wait else "") if error else None
    response = found.renderer.page(
        request,
        "enrol/code.html",
        status=status,
        form_action=onward.form_action,
        errors={"code": sentence} if sentence else {},
        to=identifiers.masked(contact),
        phone=contact.kind is IdentifierKind.PHONE,
        action=onward.to("/enrol/code", draft=draft.id),
        start=onward.to("/enrol"),
    )
    if wait:
        response.headers["retry-after"] = str(wait.seconds)
    return response


def _contact(draft: Draft) -> Identifier:
    return Identifier(IdentifierKind(draft.kind), draft.contact)


routes = [Route("/enrol/code", show, methods=["GET"]), Route("/enrol/code", submit, methods=["POST"])]

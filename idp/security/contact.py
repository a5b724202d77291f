"""Changing how messages reach a citizen: the way to the telephone, and a new e-mail address or number proven by a code.

A taken address shows the same page at the same cost; its owner gets a message, and no code of that page is ever right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.routing import Route

from consent.access_log.records import Actor, Entry, Record, Subject
from idp.accounts import identifiers
from idp.accounts.drafts.records import Draft
from idp.accounts.proofs.records import Proven, Purpose
from idp.accounts.records import CLAIM_OF, Identifier, IdentifierKind, Source, Taken, Value
from idp.events.records import EventKind
from idp.protocol import current_session, page_forms, sending_codes
from idp.protocol.services import services
from idp.security import own_password
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.request_context import language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.web.rate_limits import Wait

PATH = "/security/contact"
CHANGE = "contact-change"
PHONE_CHANNELS = ("sms", "whatsapp")
CHANGEABLE = (IdentifierKind.EMAIL, IdentifierKind.PHONE)


async def _owner(request: Request) -> tuple[Services, Account]:
    """Give whose page this is. The sign-in must be of the last minutes, and with the second factor where there is one."""
    return services(request), (await current_session.owner(request))[1]


async def show(request: Request) -> Response:
    """Show how messages travel, and the form for a new address."""
    return await _page(request, *await _owner(request))


async def _page(
    request: Request, found: Services, account: Account, *, error: str | None = None, wrong: str | None = None, value: str = ""
) -> Response:
    """Show the page again. `error`: key of a sentence about the address; `wrong`: a sentence about the password."""
    kinds = await found.accounts.verified_kinds(account.person)
    return found.renderer.page(
        request,
        "security/contact.html",
        status=422 if error or wrong else 200,
        by_phone=IdentifierKind.PHONE in kinds,
        channel=account.phone_channel,
        errors=({"identifier": found.renderer.t(request, error)} if error else {}) | ({"password": wrong} if wrong else {}),
        value=value,
    )


async def choose_channel(request: Request) -> Response:
    """Take the way by which messages to the telephone travel."""
    found, account = await _owner(request)
    fields = await page_forms.read(request, "choose-channel")
    if fields.get("channel") not in PHONE_CHANNELS:
        raise PageError("bad_request", 400, href=PATH)
    await found.accounts.set_phone_channel(account.person, fields["channel"])
    return page_forms.see_other("/security?done=channel")


async def change(request: Request) -> Response:
    """Take a new address and the password, and send a code: who finds a telephone open must not become its owner."""
    found, account = await _owner(request)
    fields = await page_forms.read(request, "change-contact")
    typed = fields.get("identifier", "")
    contact = identifiers.parse(typed)
    if contact is None or contact.kind not in CHANGEABLE:
        return await _page(request, found, account, error="contact.unreadable", value=typed)
    if await found.accounts.same(account.person, contact) and contact.kind in await found.accounts.verified_kinds(account.person):
        return await _page(request, found, account, error="contact.same", value=typed)
    wrong = await own_password.complaint(request, account.person, fields.get("password", ""))
    if wrong:
        return await _page(request, found, account, wrong=wrong, value=typed)
    draft = Draft("", "", "", contact.kind, contact.value, language(request))
    kept = await found.accounts.drafts.begin(
        draft, cookies.ensure_browser(request), found.clock(), lifetime=found.settings.mailed_code_lifetime
    )
    return await _send_code(request, found, account, kept)


async def _send_code(request: Request, found: Services, account: Account, draft: Draft) -> Response:
    contact = _contact(draft)
    signed = found.forms.sign(CHANGE, {"draft": draft.id, "person": account.person})
    for counted in (f"contact:{contact.kind}:{contact.value}", f"contact-of:{account.person}"):
        wait = await sending_codes.allowed(request, found, counted)
        if wait is not None:
            return _code_page(request, found, contact, signed, error="wait", wait=wait, status=429)
    # a telephone is never taken: families share it
    taken = contact.kind is IdentifierKind.EMAIL and bool(await found.accounts.find(contact))
    subject = None if taken else draft.id
    recipient = sending_codes.to_address(contact, account.phone_channel, subject=subject, notice="contact_taken" if taken else None)
    proof = await sending_codes.send(request, found, Purpose.CONTACT, "contact_code", recipient)
    signed = found.forms.sign(CHANGE, {"draft": draft.id, "person": account.person, "proof": proof})
    return page_forms.see_other(f"{PATH}/code?{urlencode({'change': signed})}")


async def _pending(request: Request, found: Services, account: Account) -> tuple[Draft, str, str]:
    """Give the change that this page is about, to the person and the browser that began it. Raises: PageError."""
    signed = request.query_params.get("change", "")
    payload = found.forms.unsign(CHANGE, signed, found.settings.mailed_code_lifetime)
    if payload is None or payload.get("person") != account.person:
        raise PageError("form_expired", 410, href=PATH)
    draft = await found.accounts.drafts.get(payload["draft"], cookies.browser(request) or "", found.clock())
    if draft is None:
        raise PageError("form_expired", 410, href=PATH)
    return draft, payload.get("proof", ""), signed


async def show_code(request: Request) -> Response:
    """Ask for the code."""
    found, account = await _owner(request)
    draft, _, signed = await _pending(request, found, account)
    return _code_page(request, found, _contact(draft), signed)


async def submit_code(request: Request) -> Response:
    """Take the code: the new address is the person's from now on, and the old ones are told."""
    found, account = await _owner(request)
    fields = await page_forms.read(request, "contact-code")
    draft, proof, signed = await _pending(request, found, account)
    browser = cookies.browser(request) or ""
    used = await found.accounts.proofs.use(Purpose.CONTACT, proof, fields.get("code", ""), found.clock(), browser=browser)
    if not isinstance(used, Proven) or used.subject != draft.id:
        return _code_page(request, found, _contact(draft), signed, error="wrong", status=422)
    if not await found.accounts.drafts.finish(draft.id):
        raise PageError("finished", 409)
    await _store(found, account, _contact(draft))
    return page_forms.see_other("/security?done=contact")


async def _store(found: Services, account: Account, contact: Identifier) -> None:
    """Enter the change, tell the old addresses while they are known, and put the new one in place."""
    person, claim = account.person, CLAIM_OF[contact.kind]
    record = Record(action="update", claims=(claim,), channel="self", outcome="ok")
    await found.consent.access_log.append(Entry(record, Subject(person, actor=Actor("citizen"))))
    await found.courier.tell_now(person, "contact_changed")
    value = Value(claim, contact.value, Source.VERIFIED, "gerbang", "code")
    if isinstance(await found.accounts.put(person, value, found.clock()), Taken):  # somebody else proved the same address a moment ago
        raise PageError("form_expired", 409, href=PATH)
    await found.accounts.proofs.cancel(person)  # codes on their way to the old address
    await found.events.record(EventKind.CONTACT_CHANGED, at=found.clock(), person=person, detail=contact.kind)


def _code_page(
    request: Request,
    found: Services,
    contact: Identifier,
    signed: str,
    *,
    error: str | None = None,
    wait: Wait | None = None,
    status: int = 200,
) -> Response:
    sentence = found.renderer.t(request, f"contact.{error}", wait=wait.lasting if wait else "") if error else None
    response = found.renderer.page(
        request,
        "security/contact_code.html",
        status=status,
        errors={"code": sentence} if sentence else {},
        to=identifiers.masked(contact),
        phone=contact.kind is IdentifierKind.PHONE,
        action=f"{PATH}/code?{urlencode({'change': signed})}",
    )
    if wait:
        response.headers["retry-after"] = str(wait.seconds)
    return response


def _contact(draft: Draft) -> Identifier:
    return Identifier(IdentifierKind(draft.kind), draft.contact)


routes = [
    Route(PATH, show, methods=["GET"]),
    Route(PATH, change, methods=["POST"]),
    Route(f"{PATH}/channel", choose_channel, methods=["POST"]),
    Route(f"{PATH}/code", show_code, methods=["GET"]),
    Route(f"{PATH}/code", submit_code, methods=["POST"]),
]

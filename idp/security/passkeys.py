"""Passkeys: adding one under a name of one's own, and removing it. Making a key proves nothing yet: using it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from idp.accounts.passkeys.records import LABEL, MOST, Passkey
from idp.accounts.records import Value
from idp.events.records import EventKind
from idp.interactions.records import Step
from idp.protocol import page_forms, passkeys, signing_in
from idp.protocol.ending import credential_changed
from idp.protocol.passkeys import Failed
from idp.protocol.services import services
from idp.security.factors import HOME, owner
from idp.sessions.labels import label
from idp.web.errors import PageError
from keys.opaque import new_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.passkeys.store import Added
    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.protocol.signing_in import Way
    from idp.sessions.records import Session
    from keys.passkeys import Registered

PATH: Final = f"{HOME}/passkey"
FORM: Final = "add-passkey"
_ROAMING, _PLATFORM = "fido2-roaming", "fido2-platform"
"""CAEP 1.0 §3.2: credential types, of a key that is carried about and of one that is built in."""


async def show(request: Request) -> Response:
    """Ask for a name and the device."""
    onward = await signing_in.way(request, Step.SECOND_FACTOR)
    _, session, account = await owner(request)
    return await _page(request, session, account, onward)


async def add(request: Request) -> Response:
    """Keep a new key: its owner is told, and asked to use it where a service waits for that."""
    onward = await signing_in.way(request, Step.SECOND_FACTOR)
    found, session, account = await owner(request)
    fields = await page_forms.read(request, FORM)
    if len(await found.accounts.passkeys.of_person(account.person)) >= MOST:
        return await _page(request, session, account, onward, error="most", status=422)
    made = await passkeys.registered(request, fields.get("answer", ""), _purpose(session))
    if isinstance(made, Failed):
        return await _page(request, session, account, onward, error="expired" if made.expired else "wrong", status=422)
    kept = await _keep(found, account, made, _named(request, fields.get("label", "")))
    if kept != "added":
        return await _page(request, session, account, onward, error=kept, status=422)
    if onward.interaction is None and onward.next == "/":
        return page_forms.see_other(f"{HOME}?done=passkey")
    return page_forms.see_other(onward.to("/login/passkey"))


async def remove(request: Request) -> Response:
    """Remove a key of one's own. Raises: PageError ("not_found") for anybody else's."""
    found, session, _ = await owner(request)
    await page_forms.read(request, "remove-passkey")
    if not await found.accounts.passkeys.remove(session.person, request.path_params["passkey"]):
        raise PageError("not_found", 404)
    await found.events.record(EventKind.PASSKEY_REMOVED, at=found.clock(), person=session.person)
    await found.courier.tell(session.person, "passkey_removed")
    await credential_changed(found, session.person, _ROAMING, "delete")
    return page_forms.see_other(f"{HOME}?done=passkey_removed")


async def _keep(found: Services, account: Account, made: Registered, name: str) -> Added:
    now, person = found.clock(), account.person
    passkey = Passkey(new_id(), person, made.credential, made.public_key, made.sign_count, made.synced, made.transports, now)
    added = await found.accounts.passkeys.add(passkey)
    if added != "added":
        return added
    await found.accounts.put(person, Value(passkey.label_claim, name), now)
    await found.events.record(EventKind.PASSKEY_ADDED, at=now, person=person, detail="synced" if made.synced else "one device")
    await found.courier.tell(person, "passkey_added")
    await credential_changed(found, person, _PLATFORM if made.platform else _ROAMING, "create")
    return added


def _purpose(session: Session) -> str:
    return f"register {session.id}"


def _named(request: Request, typed: str) -> str:
    """Give the name as typed, without what cannot be printed; a key without a name gets the browser's."""
    printable = "".join(letter for letter in " ".join(typed.split()) if letter.isprintable())
    return printable[:LABEL] or _suggested(request)


def _suggested(request: Request) -> str:
    return label(request.headers.get("user-agent")) or services(request).renderer.t(request, "security.passkey.unnamed")


async def _page(
    request: Request, session: Session, account: Account, onward: Way, *, error: str | None = None, status: int = 200
) -> Response:
    found = services(request)
    return found.renderer.page(
        request,
        "security/passkey.html",
        status=status,
        options=await passkeys.creation_options(request, _purpose(session), account.person, account.number),
        action=onward.to(PATH),
        name=_suggested(request),
        longest=LABEL,
        errors={"passkey": found.renderer.t(request, f"security.passkey.{error}", count=MOST)} if error else {},
        alone=not (account.has_totp or account.has_code_card),
    )


routes = [
    Route(PATH, show, methods=["GET"]),
    Route(PATH, add, methods=["POST"]),
    Route(f"{PATH}/{{passkey}}/remove", remove, methods=["POST"]),
]

"""A passkey: as the second factor, to strengthen a session, or by itself in place of identifier, password and code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from idp.events.records import EventKind
from idp.login.asking import PATHS, asked, passed
from idp.protocol import page_forms, passkeys, signing_in, steps
from idp.protocol.passkeys import Failed
from idp.protocol.services import services
from idp.spec import assurance
from idp.spec.errors import ErrorCode
from idp.web.errors import PageError
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.passkeys.records import Passkey
    from idp.login.asking import Asked
    from idp.protocol.signing_in import Way

FORM: Final = "passkey"
ALONE: Final = "/login/by-passkey"


async def show(request: Request) -> Response:
    """Ask for a passkey, or say what the person has instead."""
    of = await asked(request)
    return await _page(request, of)


async def submit(request: Request) -> Response:
    """Take the device's answer."""
    found = services(request)
    of = await asked(request)
    fields = await page_forms.read(request, FORM)
    if "leave" in fields:
        return await _leave(request, of)
    taken = await found.limits.second_factor(of.account.person)
    if isinstance(taken, Wait):
        return await _page(request, of, status=429, error="wait", wait=taken)
    person, strict = of.account.person, _demanded(of)
    used = await passkeys.proven(request, fields.get("answer", ""), _purpose(of), person=person, synced_too=not strict)
    if isinstance(used, Failed):
        await _remember(request, used, EventKind.FACTOR_FAILED, person)
        return await _page(request, of, status=422, error="expired" if used.expired else "wrong")
    await found.limits.give_back(taken)
    return await passed(request, of, assurance.passkey(synced=used.synced))


async def show_alone(request: Request) -> Response:
    """Ask for a passkey of whoever sits there."""
    return await _alone(request, await signing_in.way(request))


async def submit_alone(request: Request) -> Response:
    """Sign in by a passkey alone: the device has it, and verified its owner; these are two factors.

    Where the password was reset by a mailed code and nobody has proven the second factor since, the new password is asked for too: who
    once added a key of their own to another's account does not get in by it after the owner recovered.
    """
    found, onward = services(request), await signing_in.way(request)
    fields = await page_forms.read(request, FORM)
    used = await passkeys.proven(request, fields.get("answer", ""), _alone_purpose(onward))
    if isinstance(used, Failed):
        await _remember(request, used, EventKind.SIGN_IN_FAILED, None)
        return await _alone(request, onward, status=422, error="expired" if used.expired else "unknown")
    account = await found.accounts.get(used.person)
    if account is None:
        raise PageError("expired", 410, href=onward.to("/login"))
    if await found.events.reset_unproven(used.person):
        return await _alone(request, onward, status=422, error="reset")
    amr = assurance.passkey(synced=used.synced)
    proven = signing_in.Proven(person=used.person, amr=amr, remembered=fields.get("remember") == "yes")
    return await signing_in.proceed(request, account, proven, onward)


def _demanded(of: Asked) -> bool:
    """Tell whether a service demands what only a key of one device gives (aal3), of somebody who is signed in already."""
    if of.sign_in is not None or of.onward.interaction is None:
        return False
    asking = of.onward.interaction.request
    return assurance.least(asking.essential_acr or asking.wanted_acr) == assurance.AAL3


def _purpose(of: Asked) -> str:
    interaction = of.onward.interaction.id if of.onward.interaction else ""
    return f"factor {of.account.person} {of.sign_in.id if of.sign_in else ''} {interaction}"


def _alone_purpose(onward: Way) -> str:
    return f"alone {onward.interaction.id if onward.interaction else ''}"


async def _page(request: Request, of: Asked, *, status: int = 200, error: str | None = None, wait: Wait | None = None) -> Response:
    found = services(request)
    owned = await found.accounts.passkeys.of_person(of.account.person)
    allowed = [one for one in owned if not one.synced] if _demanded(of) else owned
    if not allowed:
        return _without(request, of, owned)
    sentence = found.renderer.t(request, f"login.passkey.{error}", wait=wait.lasting if wait else "") if error else None
    response = found.renderer.page(
        request,
        "login/passkey.html",
        status=status,
        form_action=of.onward.form_action,
        errors={"passkey": sentence} if sentence else {},
        options=await passkeys.request_options(request, _purpose(of), allowed),
        action=of.address("passkey"),
        others={} if _demanded(of) else of.others("passkey"),
        add=of.onward.to("/security/passkey") if _demanded(of) else None,
        recover=of.onward.to("/recover/factor"),
        leave=_demanded(of),
    )
    if wait:
        response.headers["retry-after"] = str(wait.seconds)
    return response


def _without(request: Request, of: Asked, owned: Sequence[Passkey]) -> Response:
    """Lead to the other factors; where a service demands a passkey, say how to get one, or how to go back without."""
    if not _demanded(of):
        return page_forms.see_other(of.address("totp"))
    return services(request).renderer.page(
        request,
        "login/no_passkey.html",
        form_action=of.onward.form_action,
        synced=bool(owned),
        action=of.address("passkey"),
        add=of.onward.to("/security/passkey"),
    )


async def _leave(request: Request, of: Asked) -> Response:
    """Go back to the service without. RFC 9470 §5, OIDC Unmet Authentication Requirements §2: it is told which demand was not met."""
    if of.onward.interaction is None or not _demanded(of):
        return page_forms.see_other(of.onward.next)
    unmet = ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS
    return await steps.refuse(request, of.onward.interaction, unmet, "The citizen did not use a passkey that stays in one device (aal3).")


async def _alone(request: Request, onward: Way, *, status: int = 200, error: str | None = None) -> Response:
    found = services(request)
    return found.renderer.page(
        request,
        "login/by_passkey.html",
        status=status,
        form_action=onward.form_action,
        errors={"passkey": found.renderer.t(request, f"login.passkey.{error}")} if error else {},
        options=await passkeys.request_options(request, _alone_purpose(onward), []),
        action=onward.to(ALONE),
        login=onward.to("/login"),
    )


async def _remember(request: Request, failed: Failed, kind: EventKind, person: str | None) -> None:
    """Record a refusal; an answer that came late or twice is none of a stranger's."""
    if not failed.expired:
        found = services(request)
        detail = f"passkey {failed.reason}"
        await found.events.record(kind, at=found.clock(), person=person, address=client_address(request), detail=detail)


routes = [
    Route(PATHS["passkey"], show, methods=["GET"]),
    Route(PATHS["passkey"], submit, methods=["POST"]),
    Route(ALONE, show_alone, methods=["GET"]),
    Route(ALONE, submit_alone, methods=["POST"]),
]

"""The consent card and the notice card, and the answer to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from starlette.responses import Response
from starlette.routing import Route

from consent.errors import GrantMoved
from consent.records import Card
from idp.approve import declarations, rules, situation
from idp.approve.rules import Blocked, CardIncomplete, CardView
from idp.interactions.records import Step
from idp.protocol import current_session, issue, page_forms, steps
from idp.protocol.services import services
from idp.spec.errors import ErrorCode
from idp.web.errors import PageError
from idp.web.headers import form_target
from idp.web.request_context import language

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.approve.situation import Situation
    from idp.protocol.services import Services

FORM = "approve"

_log = structlog.get_logger(__name__)


async def show(request: Request) -> Response:
    """Answer GET /approve: the card that is due, or the way on."""
    loaded = await situation.load(request)
    if isinstance(loaded, Response):
        return loaded
    blocked = rules.blocked(loaded.ask, loaded.account)
    if blocked is not None:
        return await _blocked(request, loaded, blocked)
    view = await _view(request, loaded)
    await services(request).consent.ledger.request(loaded.asking, loaded.purpose)
    return _page(request, loaded, view)


async def submit(request: Request) -> Response:
    """Answer POST /approve: "no" ends the request, "yes" is recorded before anything else happens."""
    fields = await page_forms.read(request, FORM)
    loaded = await situation.load(request)
    if isinstance(loaded, Response):
        return loaded
    view = await _view(request, loaded)
    card = _card(request, view)
    if "deny" in fields:
        await services(request).consent.ledger.refuse(loaded.asking, loaded.purpose, card)
        return await steps.refuse(request, loaded.interaction, ErrorCode.ACCESS_DENIED)
    blocked = rules.blocked(loaded.ask, loaded.account)
    if blocked is not None:
        return await _blocked(request, loaded, blocked)
    if "approve" not in fields or fields.get("card") != _shown(request, loaded, card):
        return _page(request, loaded, view, changed=True)
    await _introduce(services(request), loaded)  # before the yes: a name that nobody uses is harmless, one that is missing is not
    try:
        await services(request).consent.ledger.give(loaded.asking, loaded.purpose, rules.allowed(loaded.ask, fields), card)
    except GrantMoved:
        return _page(request, loaded, view, changed=True)
    return await steps.complete(request, loaded.interaction, Step.APPROVE)


async def _introduce(found: Services, loaded: Situation) -> None:
    """Note under which name the agency will know the person, so that it can report reads of its copies under that name."""
    client = await found.clients.get(loaded.asking.client)
    if client is not None:
        await found.subjects.note(client.sector, issue.subject(found, client, loaded.asking.person), loaded.asking.person)


async def _view(request: Request, loaded: Situation) -> CardView:
    try:
        return await situation.card(request, loaded)
    except CardIncomplete as error:
        _log.error("card_incomplete", purpose=loaded.purpose.id, version=loaded.purpose.version, item=error.item)
        raise PageError("card_incomplete", 500) from error


def _card(request: Request, view: CardView) -> Card:
    text = services(request).renderer.text(request, "approve/statement.html", card=view.without_values())
    return Card(template=rules.TEMPLATE, language=language(request), text_hash=rules.text_hash(text), offered=view.offered, text=text)


def _shown(request: Request, loaded: Situation, card: Card) -> str:
    """Name what was shown, and to whom: an answer to another text, or to a card that somebody else was shown here, is asked for anew."""
    return services(request).keyring.digests.digest("card", f"{card.text_hash}:{loaded.session.person}").hex()


def _page(request: Request, loaded: Situation, view: CardView, *, changed: bool = False) -> Response:
    return services(request).renderer.page(
        request,
        "approve/card.html",
        status=409 if changed else 200,
        form_action=[form_target(uri) for uri in loaded.interaction.request.answered_at],
        card=view,
        text_hash=_shown(request, loaded, _card(request, view)),
        action=_action(request, loaded),
        nik_paused_until=_nik_pause(request, loaded),
        changed=changed,
    )


def _nik_pause(request: Request, loaded: Situation) -> object:
    """ui.md: after a recovery at the counter "NIK reads pause 24 h"; the card says until when."""
    until = loaded.account.nik_paused_until
    return until if "nik" in loaded.ask.required and until is not None and services(request).clock() < until else None


async def _blocked(request: Request, loaded: Situation, why: Blocked) -> Response:
    found = services(request)
    await current_session.greeted(request)
    return found.renderer.page(
        request,
        f"approve/{why.value}.html",
        status=403,
        form_action=[form_target(uri) for uri in loaded.interaction.request.answered_at],
        client=loaded.interaction.client.name,
        law=loaded.purpose.legal_ref,
        number=loaded.account.number,
        action=_action(request, loaded),
    )


def _action(request: Request, loaded: Situation) -> str:
    """Answer in the language that was read: the hash of the text depends on it."""
    return f"/approve?interaction={loaded.interaction.id}&lang={language(request)}"


routes = [
    Route("/approve", show, methods=["GET"]),
    Route("/approve", submit, methods=["POST"]),
    Route("/purposes", declarations.index, methods=["GET"]),
    Route("/purposes/{purpose}", declarations.show, methods=["GET"]),
]

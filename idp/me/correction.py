"""Correcting what the citizen said about themselves (law.md R9): name, gender, address. The change is an entry before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consent.access_log.records import Actor, Entry, Record, Subject
from idp.me import correction_rules as rules
from idp.protocol import current_session, page_forms
from idp.protocol.release import VERIFIED
from idp.protocol.services import services

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.protocol.services import Services

FORM: Final = "correct-data"


async def show(request: Request) -> Response:
    """Answer GET /me/data/correct."""
    session = await current_session.required(request)
    before, verified = await _known(services(request), session.person)
    return _page(request, rules.fields_of(before), verified)


async def correct(request: Request) -> Response:
    """Answer POST /me/data/correct. Raises: LogUnavailable when the change cannot be entered; then nothing changes."""
    session = await current_session.required(request)
    fields = await page_forms.read(request, FORM)
    found = services(request)
    before, verified = await _known(found, session.person)
    stated = rules.read(fields, verified)
    if stated.errors:
        return _page(request, {name: fields.get(name, "") for name in rules.FIELDS}, verified, stated.errors)
    claims = rules.changed(stated, before)
    if claims:
        record = Record(action="update", claims=claims, channel="self", outcome="ok")
        await found.consent.access_log.append(Entry(record, Subject(session.person, actor=Actor("citizen"))))
        values = {claim: stated.values[claim] for claim in claims if claim in stated.values}
        await found.accounts.restate(session.person, values, stated.unsaid, found.clock())
    return page_forms.see_other("/me/data?done=corrected")


async def _known(found: Services, person: str) -> tuple[Mapping[str, str], Collection[str]]:
    """Give the citizen's own values, and which of them somebody verified."""
    sealed = await found.accounts.sealed(person, rules.OWN_WORDS)
    verified = frozenset(cell.claim for cell in sealed if cell.source == VERIFIED)
    return await found.consent.disclosure.to_self(person, sealed), verified


def _page(request: Request, fields: Mapping[str, str], verified: Collection[str], wrong: Collection[str] = frozenset()) -> Response:
    found = services(request)
    errors = {field: found.renderer.t(request, f"mydata.correct.wrong_{field}") for field in sorted(wrong)}
    status = 422 if errors else 200
    return found.renderer.page(
        request,
        "me/correct.html",
        status=status,
        fields=fields,
        verified=verified,
        limits=rules.ADDRESS,
        errors=errors,
        open=not set(rules.OWN_WORDS) <= set(verified),
    )

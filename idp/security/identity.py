"""Stating one's NIK: the citizen's word, which an officer may verify later. It neither signs in nor leaves for a service before that."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from starlette.routing import Route

from idp.accounts import nik
from idp.accounts.records import Value
from idp.protocol import current_session, page_forms
from idp.protocol.services import services

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PATH = "/security/nik"


async def show(request: Request) -> Response:
    """Show the form, or that the NIK is verified already."""
    found, session = services(request), await current_session.required(request)
    account = await found.accounts.get(session.person)
    verified = account is not None and account.nik_verified
    return found.renderer.page(request, "security/nik.html", verified=verified, errors={}, warnings=(), value="")


async def state(request: Request) -> Response:
    """Take a NIK as the citizen states it. An odd one is asked about once, then taken: it may be right."""
    found, session = services(request), await current_session.fresh(request)
    fields = await page_forms.read(request, "state-nik")
    account = await found.accounts.get(session.person)
    if account is None or account.nik_verified:
        return page_forms.see_other(PATH)
    sealed = await found.accounts.sealed(session.person, ["birthdate"])
    own = await found.consent.disclosure.to_self(session.person, sealed)
    birthdate = dt.date.fromisoformat(own["birthdate"]) if "birthdate" in own else None
    read = nik.parse(fields.get("nik", ""), birthdate)
    page = "security/nik.html"
    if isinstance(read, nik.NikRefused):
        errors = {"nik": found.renderer.t(request, f"security.nik.{read.reason}")}
        return found.renderer.page(request, page, status=422, verified=False, errors=errors, warnings=(), value=fields.get("nik", ""))
    if read.warnings and fields.get("sure") != "yes":
        return found.renderer.page(request, page, verified=False, errors={}, warnings=read.warnings, value=read.value)
    await found.accounts.put(session.person, Value("nik", read.value), found.clock())
    return page_forms.see_other("/security?done=nik")


routes = [Route(PATH, show, methods=["GET"]), Route(PATH, state, methods=["POST"])]

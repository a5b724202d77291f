"""One citizen's records, for a case: found by an identifier only, and on record in that citizen's own history before anything is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consent.errors import ChainClosed
from idp.accounts.records import AccountState
from idp.audit import names, rules
from idp.audit.desk import on_duty, page
from idp.protocol import counter, page_forms, staff
from idp.protocol.services import services
from idp.web import cookies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.services import Services
    from idp.protocol.staff import OnDuty

PATH: Final = "/audit/person"
FORM: Final = "audit-person"
PER_PAGE: Final = 50
LOOKS: Final = 1800


async def form(request: Request) -> Response:
    """Answer GET /audit/person."""
    duty = await on_duty(request)
    cookies.ensure_browser(request)
    return page(request, duty, "audit/person.html", fields={}, errors={}, found=None)


async def submit(request: Request) -> Response:
    """Answer POST /audit/person. Nothing about the citizen is in an address, and nothing is kept of what was typed but the case."""
    duty = await on_duty(request)
    fields = await page_forms.read(request, FORM)
    found = services(request)
    more = found.forms.unsign(_purpose(request, duty), fields.get("more"), LOOKS)
    reason, case = rules.reason_of(fields.get("reason", "")), rules.case_of(fields.get("case", ""))
    wrong = {
        name: found.renderer.t(request, f"staff.wrong.{name}")
        for name, value in (("identifier", more or fields.get("identifier", "").strip()), ("case", case), ("reason", reason))
        if not value
    }
    if wrong or reason is None or case is None:
        return page(request, duty, "audit/person.html", status=422, fields=fields, errors=wrong, found=None)
    account = await _the_one(found, more, fields.get("identifier", ""))
    if account is None:
        await staff.enter(found, duty, reason, case=case, outcome="nobody")
        errors = {"identifier": found.renderer.t(request, "staff.wrong.nobody")}
        return page(request, duty, "audit/person.html", status=404, fields={**fields, "identifier": ""}, errors=errors, found=None)
    await staff.enter(found, duty, reason, person=account.person, case=case)
    return await _show(request, duty, account, more, {"reason": reason, "case": case})


async def _the_one(found: Services, more: Mapping[str, Any] | None, typed: str) -> Account | None:
    """Find the account; None for none, for several (families share a telephone), and for an erased one."""
    if more is not None:
        account = await found.accounts.get(str(more.get("person", "")))
        accounts = [account] if account else []
    else:
        accounts = list(await counter.find(found, typed))
    only = accounts[0] if len(accounts) == 1 else None
    return None if only is None or only.state is AccountState.CLOSED else only


async def _show(request: Request, duty: OnDuty, account: Account, more: Mapping[str, Any] | None, said: Mapping[str, str]) -> Response:
    found = services(request)
    before = (more or {}).get("before")
    try:
        entries = await found.consent.access_log.history(account.person, limit=PER_PAGE + 1, before=before)
    except ChainClosed:  # erased since the entry was written
        entries = []
    shown = entries[:PER_PAGE]
    signed = None
    if len(entries) > PER_PAGE:
        signed = found.forms.sign(_purpose(request, duty), {"person": account.person, "before": shown[-1].index})
    rows = names.rows(shown, await names.known(found, request))
    broken = [entry.index for entry in shown if entry.problem]
    return page(request, duty, "audit/person.html", fields=said, errors={}, found=rows, more=signed, broken=broken)


def _purpose(request: Request, duty: OnDuty) -> str:
    return f"audit-person/{duty.member.pseudonym}/{cookies.browser(request) or ''}"

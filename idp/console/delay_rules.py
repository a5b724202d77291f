"""UU 27/2022 Art. 15, law.md R17: what an order of delayed visibility must say: "code, legal reference, until when; never silent". Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from consent.access_log.records import Delay
from consent.delays import CODES, Order
from idp.pages.formats import ZONE, local_date
from idp.staff.records import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.proposals.records import Proposal

DECIDERS: Final = (Role.AUDITOR, Role.DPO)
"""Who confirms and ends: nobody who runs the service."""
_CLIENT: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{2,39}")
_LAW: Final = re.compile(r"[\w][\w ./(),-]{2,79}")
_WORDS: Final[Mapping[str, re.Pattern[str]]] = {"client": _CLIENT, "case": _CASE, "law": _LAW}


def read(fields: Mapping[str, str], now: dt.datetime, most_days: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Read what an order says; and by field which sentence tells what is wrong. `most_days`: how far away its end may be."""
    typed = {name: " ".join(fields.get(name, "").split()) for name in (*_WORDS, "code", "until")}
    wrong = {name: "staff.wrong.field" for name, form in _WORDS.items() if not form.fullmatch(typed[name])}
    if typed["code"] not in CODES:
        wrong["code"] = "staff.wrong.field"
    try:
        day = dt.date.fromisoformat(typed["until"])
    except ValueError:
        return typed, wrong | {"until": "staff.wrong.day"}
    today = local_date(now)
    if not today < day <= today + dt.timedelta(days=most_days):
        wrong["until"] = "staff.wrong.delay_until"
    return typed | {"until": day.isoformat()}, wrong


def ends(about: Mapping[str, str]) -> dt.datetime:
    """Tell when what is delayed is shown: at the beginning of that day in the city."""
    return dt.datetime.combine(dt.date.fromisoformat(about["until"]), dt.time(), ZONE).astimezone(dt.UTC)


def delay(about: Mapping[str, str], by: str, confirmed_by: str | None = None) -> Delay:
    """Say why and until when entries are delayed, those about the order itself too."""
    return Delay(about["code"], about["law"], ends(about), by, confirmed_by)


def order(proposal: Proposal, now: dt.datetime) -> Order:
    """Make the order of what was proposed and confirmed."""
    about = proposal.subject
    return Order(
        id=proposal.id,
        chain=bytes.fromhex(about["chain"]),
        client=about["client"],
        code=about["code"],
        legal_ref=about["law"],
        until=ends(about),
        by=proposal.by,
        confirmed_by=proposal.decided_by or "",
        begun_at=now,
    )

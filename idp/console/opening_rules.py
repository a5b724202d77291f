"""log.md "subject openings only on a two-person request": what an auditor's form says about a stretch of the log and a key. Pure."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from idp.pages.formats import ZONE
from keys.recipients import Recipient, RecipientRefused, read_recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

_CASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{2,39}")
_LAW: Final = re.compile(r"[\w][\w ./(),-]{2,79}")
_CLIENT: Final = re.compile(r"[A-Za-z0-9._:-]{0,64}")
_DAY: Final = len("2026-11-24")
_FIRST: Final = dt.datetime(2000, 1, 1, tzinfo=ZONE)
_LAST: Final = dt.datetime(2199, 12, 31, tzinfo=ZONE)
PRIVATE: Final = "staff.wrong.key_private"


def read(fields: Mapping[str, str]) -> tuple[Mapping[str, str], Recipient | None, Mapping[str, str]]:
    """Read the form.

    Returns: case, law and client as typed, with `since` and `until` in UTC or empty; the key; by field, which sentence says what is wrong.
    """
    typed = {name: " ".join(fields.get(name, "").split()) for name in ("case", "law", "client")}
    forms = {"case": _CASE, "law": _LAW, "client": _CLIENT}
    wrong = {
        name: "staff.wrong.case" if name == "case" else "staff.wrong.field" for name in forms if not forms[name].fullmatch(typed[name])
    }
    moments = {name: moment(fields.get(name, ""), whole_day=name == "until") for name in ("since", "until")}
    wrong |= {name: "staff.wrong.moment" for name, found in moments.items() if found is None and fields.get(name, "").strip()}
    since, until = moments["since"], moments["until"]
    if since and until and since >= until:
        wrong["until"] = "staff.wrong.order"
    key = None
    try:
        key = read_recipient(fields.get("key", ""))
    except RecipientRefused as refused:
        wrong["key"] = f"staff.wrong.key_{refused.fault}"
    return {**typed, **{name: found.isoformat() if found else "" for name, found in moments.items()}}, key, wrong


def moment(text: str, *, whole_day: bool = False) -> dt.datetime | None:
    """Read a moment as forms send it, in the city's time; a day alone begins it, or with `whole_day` ends it. None when it is none."""
    text = text.strip()
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    found = found.replace(tzinfo=ZONE) if found.tzinfo is None else found
    if whole_day and len(text) == _DAY:
        found += dt.timedelta(days=1)
    return found.astimezone(dt.UTC) if _FIRST <= found <= _LAST else None

"""Andmejälgija, usage information service, OpenAPI 2.0.0 (times as in RFC 3339): parameters of findUsage, and an entry as a usage. Pure.

There, X-Road says who asks and `userCode` about whom. Here the access token says both: `userCode` may repeat the token's `sub`, and nobody
else's history is told.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consent.access_log.records import HistoryEntry

ACTIONS: Final = frozenset({"disclose", "consult", "verify", "update", "audit", "export", "denied"})
"""What the interface calls usage of personal data: all that was done with it; not what the citizen decided about it."""

MOST: Final = 1000
_FARTHEST: Final = 1_000_000
_ZONE: Final = dt.timezone(dt.timedelta(hours=8), "WITA")


@dataclass(frozen=True, slots=True)
class Asked:
    """A findUsage request understood."""

    since: dt.datetime | None
    until: dt.datetime | None
    offset: int
    limit: int


def read(sent: Mapping[str, str], user: str | None, subject: str) -> Asked | Refusal:
    """Read the parameters; `user` is the header X-Road-UserId, `subject` the token's."""
    if sent.get("userCode", subject) != subject or (user or subject) != subject:
        return Refusal(ErrorCode.ACCESS_DENIED, "The token is not about this person: userCode and X-Road-UserId are its sub.", 403)
    try:
        since, until = _moment(sent.get("periodStart")), _moment(sent.get("periodEnd"))
        offset, limit = _number(sent.get("offset"), 0, _FARTHEST), _number(sent.get("limit"), MOST, MOST)
    except ValueError:
        text = f"periodStart and periodEnd are as 2026-01-31T10:20:30; offset is a number from 0, limit one from 0 to {MOST}."
        return Refusal(ErrorCode.INVALID_REQUEST, text)
    return Asked(since, until, offset, limit)


def usage(entry: HistoryEntry, agency: Mapping[str, str], action: Callable[[HistoryEntry], str]) -> dict[str, Any]:
    """Say an entry as a Usage: `logtime`, `action`, `receiverCode` and `receiverSystem` are required there."""
    record = entry.record
    system = str(record.get("client_name") or (record.get("actor") or {}).get("unit") or "Gerbang")
    said = {
        "logtime": moment(dt.datetime.fromisoformat(record["occurred"]) if record.get("occurred") else entry.time),
        "action": action(entry),
        "receiverCode": str(record.get("agency") or "gerbang"),
        "receiverSystem": system,
    }
    return said | ({"receiverName": agency["id"]} if agency else {})


def moment(time: dt.datetime) -> str:
    """Write a moment with its offset (RFC 3339), to the second."""
    return time.astimezone(_ZONE).isoformat(timespec="seconds")


def _moment(text: str | None) -> dt.datetime | None:
    """Read a moment; one without an offset is in the city's time, as the interface's examples are in Estonia's. Raises: ValueError."""
    if not text:
        return None
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=_ZONE)


def _number(text: str | None, default: int, most: int) -> int:
    """Raises: ValueError."""
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or int(text) > most:
        raise ValueError(text)
    return int(text)

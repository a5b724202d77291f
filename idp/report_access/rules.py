"""log.md (reads reported by agencies), RFC 3339 for times: what a report must say. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import rfc8785

from consent.reports.records import KEEP
from idp.spec.claims import PERSONAL_CLAIMS
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST: Final = KEEP - dt.timedelta(days=1)
AHEAD: Final = dt.timedelta(minutes=5)
FIELDS: Final = ("report_id", "sub", "claims", "occurred", "purpose", "actor", "role", "unit", "reason")
_LONGEST: Final = {"actor": 64, "role": 64, "unit": 120, "reason": 500}
_NO_TIME: Final = "occurred is when it was read, as 2026-11-24T10:15:00+08:00 (RFC 3339, with its offset)."
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SUBJECT: Final = re.compile(r"[\x21-\x7e]{1,255}")  # OIDC Core §2: "It MUST NOT exceed 255 ASCII [RFC20] characters in length."


@dataclass(frozen=True, slots=True)
class Said:
    """A report understood. `content_hash` stands for all that was sent, so that the same id cannot come to mean something else."""

    report_id: str
    subject: str
    claims: frozenset[str]
    occurred: dt.datetime
    purpose: str | None
    actor: str | None
    role: str | None
    unit: str | None
    reason: str | None
    content_hash: bytes


def read(sent: Mapping[str, str], now: dt.datetime) -> Said | Refusal:
    """Read a report's parameters."""
    claims = frozenset(sent.get("claims", "").split(" ")) - {""}
    occurred = _moment(sent.get("occurred", ""))
    problem = _problem(sent, claims) or _time_problem(occurred, now)
    if occurred is None or problem is not None:
        return Refusal(ErrorCode.INVALID_REQUEST, problem or _NO_TIME)
    said = {name: sent[name] for name in FIELDS if sent.get(name)}
    return Said(
        report_id=sent["report_id"],
        subject=sent["sub"],
        claims=claims,
        occurred=occurred,
        purpose=sent.get("purpose") or None,
        actor=sent.get("actor") or None,
        role=sent.get("role") or None,
        unit=sent.get("unit") or None,
        reason=sent.get("reason") or None,
        content_hash=hashlib.sha256(rfc8785.dumps(_canonical(said, claims, occurred))).digest(),
    )


def _problem(sent: Mapping[str, str], claims: frozenset[str]) -> str | None:
    if not _ID.fullmatch(sent.get("report_id", "")):
        return "report_id is your own number of this read: 1 to 128 letters, digits, '.', '_', ':' or '-'."
    if not _SUBJECT.fullmatch(sent.get("sub", "")):
        return "sub is whom the read was about, as your ID tokens name the person."
    if not claims or not claims <= PERSONAL_CLAIMS:
        return f"claims names the kinds of data that were read, separated by spaces; known are {' '.join(sorted(PERSONAL_CLAIMS))}."
    odd = next((name for name, longest in _LONGEST.items() if not _is_line(sent.get(name, ""), longest)), None)
    return None if odd is None else f"{odd} is one line of at most {_LONGEST[odd]} characters."


def _time_problem(occurred: dt.datetime | None, now: dt.datetime) -> str | None:
    if occurred is None:
        return _NO_TIME
    if not now - OLDEST <= occurred <= now + AHEAD:
        return f"occurred lies ahead, or more than {OLDEST.days} days back."
    return None


def _canonical(said: Mapping[str, str], claims: frozenset[str], occurred: dt.datetime) -> dict[str, Any]:
    """Order and spelling do not make another report: claims are a set, a moment is the same in every zone."""
    return {**said, "claims": sorted(claims), "occurred": occurred.astimezone(dt.UTC).isoformat()}


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _is_line(text: str, longest: int) -> bool:
    return len(text) <= longest and text.isprintable()

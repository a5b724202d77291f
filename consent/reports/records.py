"""A report of a read that happened in an agency's own system, and what becomes of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from consent.access_log.records import Actor
    from consent.records import Purpose


KEEP: Final = dt.timedelta(days=401)
"""How long a report's number is remembered: a day longer than a read may lie back when it is reported, so that none is taken twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Who read what about whom, when and why, in the agency's words.

    `report_id` stands for the agency's own number of the read; `content_hash`: SHA-256, 32 bytes, of all that was sent.
    """

    client: str
    client_name: str
    agency: str
    report_id: str
    content_hash: bytes
    person: str
    claims: frozenset[str]
    purpose: Purpose
    occurred: dt.datetime
    actor: Actor
    reason: str | None = None
    grant: str | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """The entry that stands for a report. `again`: it had been sent before."""

    entry_id: str
    index: int
    leaf: bytes
    time: dt.datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class OtherContent:
    """A report of this id was taken before, and said something else (log.md: "other content is 409")."""

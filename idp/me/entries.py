"""An entry of the access log in the words of the citizen's history (law.md R8, R10). Pure: names come in, the page looks texts up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from consent.access_log.opening import due_at
from idp.pages.formats import local_date
from idp.pages.values import order_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from consent.access_log.records import HistoryEntry

KINDS: Final = ("disclose", "consult", "verify", "audit", "update", "export", "consent", "denied", "erase")
_OFFICERS: Final = frozenset({"opened", "consult", "verify", "update", "audit", "export", "copy"})
_ROLES: Final = frozenset({"officer", "auditor", "administrator", "dpo"})
_CONSENT: Final = frozenset({"requested", "given", "refused", "renewed", "withdrawn", "expired", "invalidated"})
_FREEZING: Final = frozenset({"frozen", "unfrozen"})
_CHANNELS: Final = frozenset(
    {
        "userinfo",
        "id_token",
        "introspection",
        "api",
        "counter",
        "command_line",
        "own_data",
        "page",
        "approve",
        "ledger",
        "self",
        "history",
        "staff",
        "audit",
        "complaint",
        "breach",
        "reported",
    }
)


@dataclass(frozen=True, slots=True)
class Names:
    """What stands behind ids: agencies by code, titles by (purpose, version), each by language."""

    agencies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    purposes: Mapping[tuple[str, int], Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why an entry was not shown before: until when, by which law and exception, ordered by whom (pseudonyms)."""

    until: dt.datetime | None
    law: str
    code: str
    by: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry as the page shows it. `kind` names the sentence (`history.did.<kind>`); `who` is a name that needs no translation."""

    n: int
    index: int
    time: dt.datetime
    entry_id: str
    who: str
    agency: Mapping[str, str]
    kind: str
    claims: tuple[str, ...]
    purpose: Mapping[str, str] | None
    basis: str
    law: str | None
    channel: str
    officer: tuple[str, ...] | None
    reason: str | None
    outcome: str
    by_self: bool = False
    grant: str | None = None
    reported: bool = False
    occurred: dt.datetime | None = None
    withheld: Withheld | None = None

    @property
    def refused(self) -> bool:
        """Whether somebody wanted to read and was not let."""
        return self.kind == "denied"

    @property
    def by_officer(self) -> bool:
        """Whether a person at an agency acted, and not a service for the citizen."""
        return self.officer is not None and self.kind in _OFFICERS

    def _officer_in_words(self, t: Callable[..., str]) -> str | None:
        if self.officer is None:
            return None
        role, *more = self.officer
        return ", ".join((t(f"history.role.{role}") if role in _ROLES else role, *more))

    def details(self, t: Callable[..., str], when: Callable[[dt.datetime], str], local: Callable[..., str]) -> list[tuple[str, str, None]]:
        """Give the lines behind "details": who, when, why, on which ground, by which way, under which number."""
        who = f"{self.who} ({local(self.agency)})" if self.agency and local(self.agency) != self.who else self.who
        who = t("history.you") if self.by_self else who
        ground = t(f"history.basis.{self.basis}") + (f": {self.law}" if self.law else "")
        lines = [
            ("who", who),
            ("officer", self._officer_in_words(t)),
            ("when", when(self.occurred or self.time)),
            ("entered", when(self.time) if self.occurred else None),
            ("why", local(self.purpose) if self.purpose else None),
            ("ground", ground),
            ("reason", t(f"history.because.{self.outcome}") if self.refused else self.reason),
            ("channel", t(f"history.channel.{self.channel}")),
            ("withheld", t(f"history.exception.{self.withheld.code}") + f": {self.withheld.law}" if self.withheld else None),
            ("ordered", self.withheld.by if self.withheld else None),
            ("number", self.entry_id),
        ]
        return [(t(f"history.field.{name}"), value, None) for name, value in lines if value]


def entry_view(entry: HistoryEntry, names: Names) -> EntryView:
    """Translate a history entry; what the record does not say is left out, never guessed."""
    record = entry.record
    actor = record.get("actor") or {}
    purpose = record.get("purpose")
    channel, outcome = str(record.get("channel", "")), str(record.get("outcome", ""))
    return EntryView(
        n=entry.n,
        index=entry.index,
        time=entry.time,
        entry_id=entry.entry_id,
        who=str(record.get("client_name") or actor.get("unit") or "Gerbang"),
        agency=names.agencies.get(str(record.get("agency")), {}),
        kind="copy" if record.get("reported_by") else _kind(entry.action, outcome),
        claims=tuple(sorted(entry.claims, key=order_of)),
        purpose=names.purposes.get((purpose["declaration"], purpose["version"])) if purpose else None,
        basis=record.get("legal_basis") or "none",
        law=record.get("legal_ref"),
        channel=channel if channel in _CHANNELS else "other",
        officer=_officer(actor),
        reason=record.get("reason"),
        outcome=outcome if outcome in BECAUSE else "other",
        by_self=(entry.subject.get("actor") or {}).get("type") == "citizen" and not record.get("client_name"),
        grant=entry.grant,
        reported=bool(record.get("reported_by")),
        occurred=dt.datetime.fromisoformat(record["occurred"]) if record.get("occurred") else None,
        withheld=_withheld(entry),
    )


def _withheld(entry: HistoryEntry) -> Withheld | None:
    delay = entry.delay
    if delay is None:
        return None
    by = ", ".join(str(delay[name]) for name in ("by", "confirmed_by") if delay.get(name))
    return Withheld(due_at(entry.record), str(delay.get("legal_ref", "")), str(delay.get("code", "")), by)


BECAUSE: Final = frozenset(
    {"withdrawn", "expired", "refused", "invalidated", "requested", "changed", "minor", "not_verified", "paused", "frozen"}
)


def _kind(action: str, outcome: str) -> str:
    if action == "consent" and outcome in _CONSENT:
        return f"consent_{outcome}"
    if action == "update" and outcome in _FREEZING:
        return outcome
    if action == "audit" and outcome == "opened":  # `protocol.openings`
        return outcome
    return action if action in KINDS else "other"


def _officer(actor: Mapping[str, Any]) -> tuple[str, ...] | None:
    """An officer is shown by role, unit and pseudonym; his name is known to his agency. Give these words, the role as the record has it."""
    if actor.get("type") in {None, "citizen", "system", "service"}:
        return None
    return str(actor.get("role") or actor["type"]), *(str(actor[name]) for name in ("unit", "pseudonym") if actor.get(name))


@dataclass(frozen=True, slots=True)
class Group:
    """What one service, or one office, did on one day, newest first."""

    who: str
    agency: Mapping[str, str]
    by_self: bool
    entries: tuple[EntryView, ...]


def by_day(entries: Iterable[EntryView]) -> Sequence[tuple[dt.date, Sequence[Group]]]:
    """Group entries, newest first, by the day in the city, and within it by who acted; who acted last comes first."""
    return [(day, _by_who(group)) for day, group in groupby(entries, key=lambda entry: local_date(entry.time))]


def _by_who(entries: Iterable[EntryView]) -> Sequence[Group]:
    groups: dict[tuple[bool, str], list[EntryView]] = {}
    for entry in entries:
        groups.setdefault((entry.by_self, entry.who), []).append(entry)
    return [Group(who, group[0].agency, by_self, tuple(group)) for (by_self, who), group in groups.items()]


def purposes_named(entries: Iterable[HistoryEntry]) -> frozenset[tuple[str, int]]:
    """Collect the purpose versions whose titles a page of entries needs."""
    named = (entry.record.get("purpose") for entry in entries)
    return frozenset((purpose["declaration"], purpose["version"]) for purpose in named if purpose)

"""Records as auditors read them, and the choices of their forms: what stands behind ids, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consent.purposes.vocabulary import KNOWN_CLAIMS
from idp.audit import rules
from idp.pages.values import order_of
from idp.web.request_context import language

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from starlette.requests import Request

    from consent.access_log.records import HistoryEntry
    from consent.access_log.search import FoundRecord
    from idp.protocol.services import Services


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record in a table. `who` is a service's name, or a pseudonym; nothing here tells whose data it was.

    `reporter`: the service whose agency says so, when it is a report; then the pseudonym is the agency's own, though it may look like ours.
    """

    index: int
    time: dt.datetime
    action: str
    who: str
    agency: str
    purpose: str
    basis: str
    law: str
    claims: tuple[str, ...]
    outcome: str
    reason: str
    lasting: bool
    channel: str
    reporter: str


@dataclass(frozen=True, slots=True)
class Known:
    """Names by id, in one language."""

    services: Mapping[str, str]
    agencies: Mapping[str, str]
    purposes: Mapping[str, str]


async def known(parts: Services, request: Request) -> Known:
    """Read the names of everything that records may mention today."""

    def local(text: Mapping[str, str]) -> str:
        return text.get(language(request)) or text["id"]

    return Known(
        services={client.id: client.name for client in await parts.clients.list()},
        agencies={agency.code: local(agency.name) for agency in await parts.clients.agencies()},
        purposes={purpose.id: local(purpose.title) for purpose in await parts.consent.purposes.list()},
    )


def rows(found: Iterable[FoundRecord | HistoryEntry], names: Known) -> Sequence[RecordRow]:
    """Arrange records for a table."""
    return [_row(one.index, one.time, one.record, names) for one in found]


def _row(index: int, time: dt.datetime, record: Mapping[str, Any], names: Known) -> RecordRow:
    actor, purpose = record.get("actor") or {}, record.get("purpose") or {}
    service = record.get("client_name") or names.services.get(record.get("client", ""), record.get("client"))
    agency, declared = record.get("agency", ""), purpose.get("declaration", "")
    return RecordRow(
        index=index,
        time=time,
        action=record.get("action", ""),
        who=actor.get("pseudonym") or service or "",
        agency=names.agencies.get(agency, agency),
        purpose=names.purposes.get(declared, declared),
        basis=record.get("legal_basis", ""),
        law=record.get("legal_ref", ""),
        claims=tuple(sorted(record.get("claims", ()), key=order_of)),
        outcome=record.get("outcome", ""),
        reason=record.get("reason", ""),
        lasting=record.get("session") == "none",
        channel=record.get("channel", ""),
        reporter=service or "" if record.get("reported_by") else "",
    )


def choices(names: Known, t: Callable[[str], str]) -> dict[str, Sequence[tuple[str, str]]]:
    """Give what each filter offers."""
    everything = ("", t("staff.filter.all"))
    return {
        "client": [everything, *_sorted(names.services)],
        "agency": [everything, *_sorted(names.agencies)],
        "purpose": [everything, *_sorted(names.purposes)],
        "basis": [everything, *((basis, t(f"staff.basis.{basis}")) for basis in rules.BASES)],
        "claim": [everything, *((claim, t(f"data.{claim}")) for claim in sorted(KNOWN_CLAIMS, key=order_of))],
        "action": [everything, *((action, t(f"staff.action.{action}")) for action in rules.ACTIONS)],
    }


def _sorted(names: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    return sorted(names.items(), key=lambda item: item[1])

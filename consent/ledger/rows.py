"""Between rows and records of the ledger."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

from consent.records import EventKind, Grant, GrantEvent, GrantState, LegalBasis

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy import Row

    from consent.records import Card


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to a grant outside the log's transaction, and the event that tells of it. `state` None leaves the state as it is."""

    id: str
    kind: EventKind
    state: GrantState | None
    occurred: dt.datetime
    actor: Mapping[str, Any] | None = None
    card: Card | None = None
    purpose_version: int | None = None

    def event(self, grant: Grant) -> GrantEvent:
        """Make the event of a grant that was changed so."""
        return GrantEvent(
            id=self.id,
            grant=grant.id,
            grant_version=grant.version,
            kind=self.kind,
            occurred=self.occurred,
            purpose_version=self.purpose_version or grant.purpose_version,
            claims=self.card.offered if self.card else grant.claims,
            actor=self.actor,
            template=self.card.template if self.card else None,
            language=self.card.language if self.card else grant.language,
            text_hash=self.card.text_hash if self.card else None,
        )


_COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Grant) if field.name != "frozen")


def _names(claims: frozenset[str]) -> str:
    return json.dumps(sorted(claims))


def grant_values(grant: Grant) -> dict[str, Any]:
    """Give a grant's columns."""
    plain = {name: getattr(grant, name) for name in _COLUMNS}
    return plain | {
        "basis": grant.basis.value,
        "state": grant.state.value,
        "claims": _names(grant.claims),
        "offered": _names(grant.offered),
    }


def to_grant(row: Row[Any], prefix: str = "") -> Grant:
    """Read a grant from its row, whose columns may carry a prefix; whether its person is frozen stands beside them, where it was asked."""
    found = {name: getattr(row, prefix + name) for name in _COLUMNS}
    return Grant(
        frozen=getattr(row, "frozen", False),
        **found
        | {
            "basis": LegalBasis(found["basis"]),
            "state": GrantState(found["state"]),
            "claims": frozenset(json.loads(found["claims"])),
            "offered": frozenset(json.loads(found["offered"])),
        },
    )


def event_values(event: GrantEvent) -> dict[str, Any]:
    """Give an event's columns, without its receipt."""
    return {
        "id": event.id,
        "grant_id": event.grant,
        "grant_version": event.grant_version,
        "kind": event.kind.value,
        "occurred": event.occurred,
        "purpose_version": event.purpose_version,
        "claims": _names(event.claims),
        "actor": None if event.actor is None else json.dumps(dict(event.actor), sort_keys=True),
        "template": event.template,
        "language": event.language,
        "text_hash": event.text_hash,
    }


def to_event(row: Row[Any]) -> GrantEvent:
    """Read an event from its row."""
    return GrantEvent(
        id=row.id,
        grant=row.grant_id,
        grant_version=row.grant_version,
        kind=EventKind(row.kind),
        occurred=row.occurred,
        purpose_version=row.purpose_version,
        claims=frozenset(json.loads(row.claims)),
        actor=None if row.actor is None else json.loads(row.actor),
        template=row.template,
        language=row.language,
        text_hash=row.text_hash,
    )

"""Between rows and records of the ledger."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from consent.records import EventKind, Grant, GrantEvent, GrantState, LegalBasis

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy import Row


def closing(grant: Grant, kind: EventKind, event: str, now: dt.datetime, actor: Mapping[str, str | None] | None) -> GrantEvent:
    """Make the event that tells of a grant's end."""
    return GrantEvent(
        id=event,
        grant=grant.id,
        grant_version=grant.version,
        kind=kind,
        occurred=now,
        purpose_version=grant.purpose_version,
        claims=grant.claims,
        actor=actor,
        language=grant.language,
    )


def _names(claims: frozenset[str]) -> str:
    return json.dumps(sorted(claims))


def grant_values(grant: Grant) -> dict[str, Any]:
    """Give a grant's columns."""
    plain = {field.name: getattr(grant, field.name) for field in dataclasses.fields(grant)}
    return plain | {
        "basis": grant.basis.value,
        "state": grant.state.value,
        "claims": _names(grant.claims),
        "offered": _names(grant.offered),
    }


def to_grant(row: Row[Any], prefix: str = "") -> Grant:
    """Read a grant from its row, whose columns may carry a prefix."""
    found = {field.name: getattr(row, prefix + field.name) for field in dataclasses.fields(Grant)}
    return Grant(
        **found
        | {
            "basis": LegalBasis(found["basis"]),
            "state": GrantState(found["state"]),
            "claims": frozenset(json.loads(found["claims"])),
            "offered": frozenset(json.loads(found["offered"])),
        }
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

"""How an event of the ledger reads in the access log. The entry has the event's own id, so that either leads to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consent.access_log.records import Actor, Entry, Record, Subject
from consent.records import EventKind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from consent.records import Asking, Grant, GrantEvent

CITIZEN: Final = Actor("citizen")
#: What happens by itself, or waits for the citizen, has no one to name.
_BY_ITSELF: Final = frozenset({EventKind.REQUESTED, EventKind.EXPIRED})


def answered(asking: Asking, grant: Grant, event: GrantEvent, legal_ref: str | None) -> Entry:
    """Give the entry of an answer to a card, by the citizen who stands there."""
    return _entry(grant, event, channel="approve", acr=asking.acr, legal_ref=legal_ref, auth_time=asking.auth_time, occurred=None)


def queued(grant: Grant, event: GrantEvent, legal_ref: str | None) -> Entry:
    """Give the entry of an event that took effect earlier; without a person when the city has since forgotten them."""
    return _entry(grant, event, channel="ledger", acr=None, legal_ref=legal_ref, auth_time=None, occurred=event.occurred)


def as_mapping(actor: Actor | None) -> Mapping[str, Any] | None:
    """Give an actor as the ledger keeps one."""
    return None if actor is None else actor._asdict()


def _entry(
    grant: Grant,
    event: GrantEvent,
    *,
    channel: str,
    acr: str | None,
    legal_ref: str | None,
    auth_time: dt.datetime | None,
    occurred: dt.datetime | None,
) -> Entry:
    record = Record(
        action="consent",
        client=grant.client,
        client_name=grant.client_name,
        agency=grant.agency,
        actor=None if event.actor is None else Actor(**event.actor),
        purpose=(grant.purpose, event.purpose_version),
        legal_basis=grant.basis.value,
        legal_ref=legal_ref,
        claims=tuple(sorted(event.claims)),
        channel=channel,
        acr=acr,
        outcome=event.kind.value,
        occurred=occurred,
    )
    if not grant.person:
        return Entry(record, None, event.id)
    by_citizen = event.actor is None and event.kind not in _BY_ITSELF
    subject = Subject(grant.person, grant.id, auth_time=auth_time, actor=CITIZEN if by_citizen else None)
    return Entry(record, subject, event.id)

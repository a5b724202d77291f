"""What a citizen asked for, allowed, refused and took back: the ledger's rules.

An answer to a card is an entry of the access log, with the ledger's rows in the entry's own transaction: no permission without a record.
Everything else changes the state first, at once, and reaches the log from a durable queue: taking back must work while the log is down.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Final

import structlog

from consent.decision import is_active
from consent.errors import ChainClosed, CompanionMissed, GrantMoved, LogUnavailable
from consent.ledger import entries
from consent.ledger.rows import Change
from consent.ledger.store import OPEN, GrantCondition, LedgerStore
from consent.records import EventKind, Given, Grant, GrantEvent, GrantState
from keys.errors import KeyDestroyed, StoreUnavailable
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from consent.access_log import AccessLog
    from consent.access_log.records import Actor, Entry
    from consent.purposes import Purposes
    from consent.receipts import Receipts
    from consent.records import Asking, Card, Purpose
    from keys.database import Database

#: UU 27/2022 asks for a period; the house asks again after twelve months at the latest.
ASK_AGAIN: Final = dt.timedelta(days=365)
#: The same answer within this time is a double click, not a renewal.
DOUBLE_SUBMIT: Final = dt.timedelta(seconds=60)
LEASE: Final = dt.timedelta(seconds=60)
_BATCH: Final = 64

_log = structlog.get_logger(__name__)


class Ledger:
    """The consent ledger. `kick` wakes whoever writes the queue to the log."""

    def __init__(
        self,
        database: Database,
        log: AccessLog,
        purposes: Purposes,
        receipts: Receipts,
        clock: Callable[[], dt.datetime],
        *,
        new_id: Callable[[], str] = new_id,
    ) -> None:
        self._store = LedgerStore(database)
        self._log = log
        self._purposes = purposes
        self._receipts = receipts
        self._clock = clock
        self._new_id = new_id
        self.kick = asyncio.Event()

    async def find(self, person: str, client: str, purpose: str) -> Grant | None:
        """Find the open grant of these three, else the newest closed one."""
        return await self._store.find(person, client, purpose)

    async def get(self, grant: str) -> Grant | None:
        """Find a grant by its id, whatever its state, and whether its person is frozen."""
        return await self._store.get(grant)

    async def of_person(self, person: str) -> Sequence[Grant]:
        """Give every grant of a person, newest first."""
        return await self._store.of_person(person)

    async def people_of(self, client: str, after: str = "", limit: int | None = None) -> Sequence[str]:
        """Give everybody who ever answered an application's card, but for those whom the city has forgotten; in order, page by page."""
        return await self._store.people_of(client, after, limit)

    async def events(self, grant: str) -> Sequence[GrantEvent]:
        """Give what happened to a grant, oldest first."""
        return await self._store.events_of(grant)

    async def receipt_of(self, grant: str) -> str | None:
        """Give the newest signed receipt of a grant."""
        return await self._store.receipt_of(grant)

    async def text_of(self, text_hash: str) -> str | None:
        """Give the text of a card that was answered, by the hash that receipt and event name (law.md R3, R7)."""
        return await self._store.text(text_hash)

    async def request(self, asking: Asking, purpose: Purpose) -> Grant:
        """Note that a card is put before a citizen; give the open grant that an answer will move."""
        while True:
            found = await self.find(asking.person, asking.client, purpose.id)
            if found is not None and found.state in OPEN and not await self._expired(found):
                return found
            grant, event = self._requested(asking, purpose)
            if await self._store.open_slot(grant, event):
                self.kick.set()
                return grant

    async def give(self, asking: Asking, purpose: Purpose, claims: frozenset[str], card: Card) -> Given:
        """Record a permission, or a notice taken. `claims` is what may be read: all of it must be declared and on the card.

        Answering twice in a row is one answer. Raises: GrantMoved, LogUnavailable, ValueError for a claim not on the card.
        """
        if not claims <= card.offered <= purpose.declared or not card.offered & purpose.required_names <= claims:
            raise ValueError("a permission covers what the card offered, and all of it that is required")
        before = await self.request(asking, purpose)
        again = await self._answered_before(before, purpose, claims, card)
        if again is not None:
            return again
        after, event = self._given(before, asking, purpose, claims, card)
        await self._store.keep(card.text_hash, card.text)
        receipt = await self._receipts.sign(asking, purpose, after, event, card)
        entry = entries.answered(asking, after, event, purpose.legal_ref)
        if await self._store.answer(self._log, entry, after, event, receipt):
            return Given(after, receipt, entry.entry_id)
        moved = await self.get(before.id)
        again = None if moved is None else await self._answered_before(moved, purpose, claims, card)
        if again is None:
            raise GrantMoved(before.id)
        return again

    async def refuse(self, asking: Asking, purpose: Purpose, card: Card) -> Grant:
        """Record a "no", whatever the log does. What was allowed before stays allowed: taking back is another act."""
        await self._store.keep(card.text_hash, card.text)
        while True:
            before = await self.request(asking, purpose)
            change = Change(
                id=self._new_id(),
                kind=EventKind.REFUSED,
                state=GrantState.REFUSED if before.state is GrantState.REQUESTED else None,
                occurred=self._clock(),
                card=card,
                purpose_version=purpose.version,
            )
            refused = await self._store.move(GrantCondition(before.id, (before.state,)), change)
            if refused is not None:
                self.kick.set()
                return refused

    async def withdraw(self, grant: str, by: Actor | None = None) -> Grant | None:
        """Take a permission back, at once, whatever the log does; again is the same as once. None when there is no such grant.

        `by` is who did it, unless the citizen.
        """
        return await self._close(GrantCondition(grant, (GrantState.ACTIVE,)), EventKind.WITHDRAWN, by)

    async def invalidate(self, grant: str, by: Actor | None) -> Grant | None:
        """End a grant that must not stand, whatever the citizen wants: the application was removed, the account closed."""
        return await self._close(GrantCondition(grant, OPEN), EventKind.INVALIDATED, by)

    async def invalidate_all(self, person: str, by: Actor | None) -> int:
        """End every open grant of a person; give how many there were."""
        ended = [await self.invalidate(grant, by) for grant in await self._store.open_of(person)]
        return len(ended)

    async def invalidate_client(self, client: str, by: Actor | None, keeping: Collection[str] = ()) -> Sequence[str]:
        """End every open grant of an application that was removed, or lost all purposes but those of `keeping`; give which they were."""
        ended = await self._store.open_at(client, keeping)
        for grant in ended:
            await self.invalidate(grant, by)
        return ended

    async def expire_due(self, limit: int = 500) -> int:
        """Close grants whose time is over; give how many."""
        now = self._clock()
        closed = [await self._expire(grant, now) for grant in await self._store.due(now, limit)]
        return sum(grant is not None for grant in closed)

    async def forget(self, person: str) -> None:
        """Take an erased person out of the ledger. Their grants must be closed and the queue flushed before."""
        await self._store.forget(person)

    async def queued(self) -> int:
        """Count the events whose entry in the log is still to be written."""
        return await self._store.queued()

    async def flush_queue(self) -> int:
        """Write queued events to the log, oldest first; give how many. What the log does not take stays queued."""
        written = 0
        while True:
            now = self._clock()
            leased = await self._store.lease(now, now + LEASE, _BATCH)
            results = await asyncio.gather(*(self._write(grant, event) for grant, event in leased))
            written += sum(results)
            if len(leased) < _BATCH or not all(results):
                return written

    async def _write(self, grant: Grant, event: GrantEvent) -> bool:
        purpose = await self._purposes.get(grant.purpose, event.purpose_version)
        entry = entries.queued(grant, event, purpose.legal_ref if purpose else None)
        try:
            await self._append_queued(entry, event.id)
        except CompanionMissed:
            return True  # another process wrote it, whose lease had run out while it did
        except (LogUnavailable, StoreUnavailable) as error:
            _log.warning("consent_event_still_queued", consent_event=event.id, error=type(error).__name__)
            return False
        return True

    async def _append_queued(self, entry: Entry, event: str) -> None:
        off_the_queue = self._store.written(event)
        try:
            await self._log.append(entry, None, [off_the_queue])
        except (ChainClosed, KeyDestroyed):  # erased meanwhile: what happened stays on record, about nobody
            await self._log.append(dataclasses.replace(entry, subject=None), None, [off_the_queue])

    async def _answered_before(self, grant: Grant, purpose: Purpose, claims: frozenset[str], card: Card) -> Given | None:
        now = self._clock()
        fresh = grant.given_at is not None and now - grant.given_at < DOUBLE_SUBMIT
        if not (fresh and is_active(grant, now) and grant.purpose_version == purpose.version and grant.claims == claims):
            return None
        last = await self._store.last_event(grant.id)
        if last is None or last[0].text_hash != card.text_hash or last[1] is None:
            return None
        return Given(grant, last[1], last[0].id)

    async def _close(self, condition: GrantCondition, kind: EventKind, by: Actor | None) -> Grant | None:
        closed = await self._store.move(condition, self._end(kind, by))
        if closed is None:
            return await self.get(condition.grant)
        if not await self._store.settle():
            _log.warning("withdrawal_did_not_wait_for_the_log", grant=closed.id)
        self.kick.set()
        return closed

    def _end(self, kind: EventKind, by: Actor | None = None) -> Change:
        return Change(id=self._new_id(), kind=kind, state=GrantState(kind.value), occurred=self._clock(), actor=entries.as_mapping(by))

    async def _expired(self, grant: Grant) -> bool:
        """Close an active grant whose time is over before anything is asked again."""
        now = self._clock()
        over = grant.state is GrantState.ACTIVE and not is_active(grant, now)
        return over and (await self._expire(grant.id, now)) is not None

    async def _expire(self, grant: str, now: dt.datetime) -> Grant | None:
        closed = await self._store.move(GrantCondition(grant, (GrantState.ACTIVE,), over_at=now), self._end(EventKind.EXPIRED))
        self.kick.set()
        return closed

    def _requested(self, asking: Asking, purpose: Purpose) -> tuple[Grant, GrantEvent]:
        now = self._clock()
        grant = Grant(
            id=self._new_id(),
            person=asking.person,
            client=asking.client,
            client_name=asking.client_name,
            agency=purpose.agency,
            purpose=purpose.id,
            purpose_version=purpose.version,
            basis=purpose.basis,
            claims=frozenset(),
            offered=frozenset(),
            state=GrantState.REQUESTED,
            version=1,
            opened_at=now,
            given_at=None,
            expires_at=None,
            language=None,
        )
        return grant, self._event(grant, EventKind.REQUESTED, None, purpose.version, frozenset())

    def _given(self, before: Grant, asking: Asking, purpose: Purpose, claims: frozenset[str], card: Card) -> tuple[Grant, GrantEvent]:
        now = self._clock()
        after = dataclasses.replace(
            before,
            client_name=asking.client_name,
            agency=purpose.agency,
            purpose_version=purpose.version,
            basis=purpose.basis,
            claims=claims,
            offered=card.offered,
            state=GrantState.ACTIVE,
            version=before.version + 1,
            given_at=now,
            expires_at=now + min(ASK_AGAIN, dt.timedelta(days=purpose.max_validity_days)),
            language=card.language,
        )
        kind = EventKind.GIVEN if before.state is GrantState.REQUESTED else EventKind.RENEWED
        return after, self._event(after, kind, card, purpose.version, claims)

    def _event(self, grant: Grant, kind: EventKind, card: Card | None, purpose_version: int, claims: frozenset[str]) -> GrantEvent:
        return GrantEvent(
            id=self._new_id(),
            grant=grant.id,
            grant_version=grant.version,
            kind=kind,
            occurred=self._clock(),
            purpose_version=purpose_version,
            claims=claims,
            template=card.template if card else None,
            language=card.language if card else None,
            text_hash=card.text_hash if card else None,
        )

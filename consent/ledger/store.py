"""Grants, their events, and the queue towards the access log: the only file that speaks SQL about them.

Every change moves the projection by its version and writes the event that explains it, in one transaction: the log's own for an answer to
a card (`answer`), ours for everything else (`open_slot`, `move`), which then also queues the event for the log.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from consent.access_log.settling import settle
from consent.errors import CompanionMissed
from consent.ledger.rows import event_values, grant_values, to_event, to_grant
from consent.ledger.tables import consent_events, consent_queue, consent_texts, freezes, grants
from consent.records import GrantState
from keys.grouped import Grouped, among
from keys.prepared import Prepared

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.sql.base import Executable

    from consent.access_log import AccessLog
    from consent.access_log.records import Entry
    from consent.ledger.rows import Change
    from consent.records import Grant, GrantEvent
    from keys.database import Database, Transaction

OPEN: Final = (GrantState.REQUESTED, GrantState.ACTIVE)

_NEWEST: Final = (
    sa.select(grants)
    .where(
        grants.c.person == sa.bindparam("who"),
        grants.c.client == sa.bindparam("by_client"),
        grants.c.purpose == sa.bindparam("for_purpose"),
    )
    .order_by(grants.c.state.in_(OPEN).desc(), grants.c.opened_at.desc())
    .limit(1)
)


class LedgerStore:
    """The consent ledger's rows, as records."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert
        frozen = sa.exists().where(freezes.c.person == grants.c.person).label("frozen")
        self._several = Prepared(database, sa.select(grants, frozen).where(among(database, grants.c.id, "ids")))
        self._grouped: Grouped[str, Grant] = Grouped(self._read)

    async def find(self, person: str, client: str, purpose: str) -> Grant | None:
        """Find the open grant of these three, else the newest closed one."""
        return await self._first(_NEWEST, {"who": person, "by_client": client, "for_purpose": purpose})

    async def get(self, grant: str) -> Grant | None:
        """Find a grant by its id, whatever its state, and whether its person is frozen."""
        return await self._grouped.get(grant)

    async def _read(self, ids: Sequence[str]) -> Mapping[str, Grant]:
        return {row.id: to_grant(row) for row in await self._several.all({"ids": [*{*ids}]})}

    async def of_person(self, person: str) -> Sequence[Grant]:
        """Give every grant of a person, newest first."""
        query = sa.select(grants).where(grants.c.person == person).order_by(grants.c.opened_at.desc(), grants.c.id)
        async with self._database.read() as connection:
            return [to_grant(row) for row in (await connection.execute(query)).all()]

    async def events_of(self, grant: str) -> Sequence[GrantEvent]:
        """Give a grant's events, oldest first."""
        query = sa.select(consent_events).where(consent_events.c.grant_id == grant).order_by(consent_events.c.grant_version)
        async with self._database.read() as connection:
            return [to_event(row) for row in (await connection.execute(query)).all()]

    async def receipt_of(self, grant: str) -> str | None:
        """Give the newest signed receipt of a grant."""
        query = (
            sa.select(consent_events.c.receipt)
            .where(consent_events.c.grant_id == grant, consent_events.c.receipt.is_not(None))
            .order_by(consent_events.c.grant_version.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(query)).scalar_one_or_none()
        return found

    async def last_event(self, grant: str) -> tuple[GrantEvent, str | None] | None:
        """Give a grant's newest event and the receipt it yielded."""
        query = sa.select(consent_events).where(consent_events.c.grant_id == grant).order_by(consent_events.c.grant_version.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else (to_event(row), row.receipt)

    async def keep(self, text_hash: str, text: str) -> None:
        """Keep the text of a card, once."""
        query = sa.select(consent_texts.c.text_hash).where(consent_texts.c.text_hash == text_hash)
        async with self._database.read() as connection:
            if (await connection.execute(query)).first() is not None:
                return
        insert = self._insert(consent_texts).values(text_hash=text_hash, text=text).on_conflict_do_nothing()
        async with self._database.statement() as connection:
            await connection.execute(insert)

    async def text(self, text_hash: str) -> str | None:
        """Give the text of a card by its hash."""
        query = sa.select(consent_texts.c.text).where(consent_texts.c.text_hash == text_hash)
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(query)).scalar_one_or_none()
        return found

    async def answer(self, log: AccessLog, entry: Entry, after: Grant, event: GrantEvent, receipt: str | None) -> bool:
        """Append the entry of an answer to a card with the rows that move its grant to `after`, all in the log's own transaction.

        When the grant moved meanwhile, the first statement changes no row, and the entry is not written. False then.
        """
        moved = sa.update(grants).where(grants.c.id == after.id, grants.c.version == after.version - 1)
        explained = sa.insert(consent_events).values(**event_values(event), receipt=receipt)
        try:
            await log.append(entry, None, (moved.values(**grant_values(after)), explained))
        except (CompanionMissed, IntegrityError):
            return False
        return True

    async def open_slot(self, grant: Grant, event: GrantEvent) -> bool:
        """Make a grant that was only requested; False when one of the same three is open already."""
        statement = self._insert(grants).values(**grant_values(grant)).on_conflict_do_nothing().returning(grants.c.id)
        async with self._database.transaction() as transaction:
            if (await transaction.execute(statement)).first() is None:
                return False
            await _write(transaction, event)
            await transaction.commit()
        return True

    async def move(self, condition: GrantCondition, change: Change) -> Grant | None:
        """Change a grant that meets the condition, at once, and queue the event for the log; None when none met it."""
        values: dict[str, Any] = {"version": grants.c.version + 1}
        if change.state is not None:
            values["state"] = change.state.value
        statement = sa.update(grants).where(*condition.clauses()).values(**values).returning(*grants.c)
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(statement)).first()
            if row is None:
                return None
            grant = to_grant(row)
            await _write(transaction, change.event(grant))
            await transaction.commit()
        return grant

    async def settle(self) -> bool:
        """Wait until no read is on its way that was checked before what we committed; False when that took too long."""
        return await settle(self._database)

    async def due(self, now: dt.datetime, limit: int) -> Sequence[str]:
        """Give ids of active grants whose time is over."""
        query = (
            sa.select(grants.c.id)
            .where(grants.c.state == GrantState.ACTIVE, grants.c.expires_at <= now)
            .order_by(grants.c.expires_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def open_of(self, person: str) -> Sequence[str]:
        """Give ids of a person's grants that are not closed."""
        query = sa.select(grants.c.id).where(grants.c.person == person, grants.c.state.in_(OPEN))
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def open_at(self, client: str, keeping: Collection[str] = ()) -> Sequence[str]:
        """Give ids of the grants of an application that are not closed, but for the purposes of `keeping`."""
        mine = (grants.c.client == client) & grants.c.state.in_(OPEN) & grants.c.purpose.not_in(list(keeping))
        async with self._database.read() as connection:
            return list((await connection.execute(sa.select(grants.c.id).where(mine))).scalars())

    async def people_of(self, client: str, after: str = "", limit: int | None = None) -> Sequence[str]:
        """Give everybody who ever answered an application's card, but for those whom the city has forgotten; in order, page by page."""
        wanted = sa.select(grants.c.person).where(grants.c.client == client, grants.c.person > after).distinct()
        async with self._database.read() as connection:
            return list((await connection.execute(wanted.order_by(grants.c.person).limit(limit))).scalars())

    async def forget(self, person: str) -> None:
        """Take the person out of the projection; the events, which name nobody, stay."""
        async with self._database.statement() as connection:
            await connection.execute(sa.update(grants).where(grants.c.person == person).values(person=""))

    async def lease(self, now: dt.datetime, until: dt.datetime, limit: int) -> Sequence[tuple[Grant, GrantEvent]]:
        """Take queued events, oldest first, so that no other process writes them to the log before `until`."""
        free = (
            sa.select(consent_queue.c.event_id)
            .where(consent_queue.c.leased_until <= now)
            .order_by(consent_queue.c.queued_at)
            .limit(limit)
            .scalar_subquery()
        )
        take = (
            sa.update(consent_queue)
            .where(consent_queue.c.event_id.in_(free), consent_queue.c.leased_until <= now)
            .values(leased_until=until)
            .returning(consent_queue.c.event_id)
        )
        async with self._database.statement() as connection:
            taken = list((await connection.execute(take)).scalars())
        return await self._events(taken) if taken else []

    async def _events(self, ids: Sequence[str]) -> Sequence[tuple[Grant, GrantEvent]]:
        query = (
            sa.select(consent_events, *(column.label(f"grant__{column.name}") for column in grants.c))
            .join(grants, grants.c.id == consent_events.c.grant_id)
            .where(consent_events.c.id.in_(ids))
            .order_by(consent_events.c.occurred, consent_events.c.grant_version)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(to_grant(row, "grant__"), to_event(row)) for row in rows]

    def written(self, event: str) -> Executable:
        """Give the statement that takes an event off the queue, for the log to run in the entry's own transaction."""
        return sa.delete(consent_queue).where(consent_queue.c.event_id == event)

    async def queued(self) -> int:
        """Count the events whose entry in the log is still to be written."""
        async with self._database.read() as connection:
            count: int = (await connection.execute(sa.select(sa.func.count()).select_from(consent_queue))).scalar_one()
        return count

    async def _first(self, query: sa.Select[Any], parameters: dict[str, object]) -> Grant | None:
        async with self._database.read() as connection:
            row = (await connection.execute(query, parameters)).first()
        return None if row is None else to_grant(row)


@dataclasses.dataclass(frozen=True, slots=True)
class GrantCondition:
    """Which grant may be closed: by id, in one of these states, and, for expiry, only when its time is over."""

    grant: str
    states: tuple[GrantState, ...]
    over_at: dt.datetime | None = None

    def clauses(self) -> Sequence[sa.ColumnElement[bool]]:
        """Give it as SQL."""
        clauses = [grants.c.id == self.grant, grants.c.state.in_(self.states)]
        return clauses if self.over_at is None else [*clauses, grants.c.expires_at <= self.over_at]


async def _write(transaction: Transaction, event: GrantEvent) -> None:
    await transaction.execute(sa.insert(consent_events).values(**event_values(event)))
    await transaction.execute(sa.insert(consent_queue).values(event_id=event.id, queued_at=event.occurred, leased_until=event.occurred))

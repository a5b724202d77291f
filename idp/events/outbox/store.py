"""Where the outbox rests."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.events.outbox.records import Errand
from idp.events.tables import outbox
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.sql.base import Executable

    from keys.database import Database
    from keys.keyring import Keyring

LEASE = dt.timedelta(minutes=2)
FIRST_RETRY = 5
LONGEST_RETRY = 3600
GIVE_UP_AFTER = dt.timedelta(days=3)
"""A message that nobody could be given for so long is none any more."""


class OutboxStore:
    """The outbox of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def add(
        self, topic: str, payload: Mapping[str, Any], now: dt.datetime, *, person: str | None = None, errand: str | None = None
    ) -> str:
        """Keep a piece of work, sealed; give its id."""
        errand = errand or new_id()
        async with self._database.statement() as connection:
            await connection.execute(self.adding(topic, payload, now, person=person, errand=errand))
        return errand

    def adding(
        self, topic: str, payload: Mapping[str, Any], now: dt.datetime, *, person: str | None = None, errand: str | None = None
    ) -> Executable:
        """Give the statement that keeps a piece of work, for a transaction with what the work follows from."""
        return sa.insert(outbox).values(self._row(topic, payload, now, person, errand or new_id()))

    async def add_once(self, topic: str, now: dt.datetime, *, person: str, errand: str, due: dt.datetime) -> None:
        """Keep a piece of work that is due later and says nothing more, unless it is kept already."""
        insert = self._database.insert
        row = self._row(topic, {}, now, person, errand) | {"next_attempt_at": due}
        async with self._database.statement() as connection:
            await connection.execute(insert(outbox).values(row).on_conflict_do_nothing())

    def _row(self, topic: str, payload: Mapping[str, Any], now: dt.datetime, person: str | None, errand: str) -> dict[str, Any]:
        cell = self._keyring.secrets.seal("outbox", (errand, topic), json.dumps(dict(payload)).encode())
        return {
            "id": errand, "topic": topic, "person": person, "cell": cell, "attempts": 0, "created_at": now, "next_attempt_at": now,
        }  # fmt: skip

    async def take(self, now: dt.datetime, limit: int = 20) -> Sequence[Errand]:
        """Lease what is due; another process, or this one after a crash, takes it again when the lease ends."""
        due = sa.select(outbox.c.id).where(outbox.c.next_attempt_at <= now).order_by(outbox.c.next_attempt_at).limit(limit)
        statement = (
            sa.update(outbox)
            # the outer condition is checked again by PostgreSQL after waiting for another process's lease
            .where(outbox.c.id.in_(due), outbox.c.next_attempt_at <= now)
            .values(next_attempt_at=now + LEASE, attempts=outbox.c.attempts + 1)
            .returning(outbox)
        )
        async with self._database.statement() as connection:
            rows = (await connection.execute(statement)).all()
        return [Errand(row.id, row.topic, row.person, self._open(row.id, row.topic, row.cell), row.attempts) for row in rows]

    async def done(self, errand: str) -> None:
        """Forget what is done."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(outbox).where(outbox.c.id == errand))

    async def retry(self, errand: Errand, now: dt.datetime, *, forever: bool = False) -> bool:
        """Put off what failed, ever longer; False when it was given up because it is too old, which never happens `forever`."""
        delay = dt.timedelta(seconds=min(FIRST_RETRY * 2 ** (errand.attempts - 1), LONGEST_RETRY))
        young = sa.true() if forever else outbox.c.created_at > now - GIVE_UP_AFTER
        statement = sa.update(outbox).where(outbox.c.id == errand.id, young).values(next_attempt_at=now + delay)
        async with self._database.statement() as connection:
            if (await connection.execute(statement)).rowcount:
                return True
        await self.done(errand.id)
        return False

    async def waiting(self, topic: str | None = None) -> int:
        """Count what is not done yet, of one topic or of all."""
        statement = sa.select(sa.func.count()).select_from(outbox)
        async with self._database.read() as connection:
            return int((await connection.execute(statement if topic is None else statement.where(outbox.c.topic == topic))).scalar_one())

    def _open(self, errand: str, topic: str, cell: bytes) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self._keyring.secrets.open("outbox", (errand, topic), cell))
        return payload

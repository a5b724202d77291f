"""Where notices rest. They are their own queue: leased, put off ever longer, given up in bounded time, kept as what became of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from idp.notices.records import Delivery, LateNotices, Notice, NoticeKind, NoticeStatus
from idp.notices.streams.store import StreamStore
from idp.notices.tables import notices
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Row

    from idp.notices.records import NewNotice
    from keys.database import Database
    from keys.keyring import Keyring

LEASE: Final = dt.timedelta(minutes=2)
FIRST_RETRY: Final = dt.timedelta(seconds=10)
LONGEST_RETRY: Final = dt.timedelta(hours=3)
GIVE_UP: Final = {NoticeKind.LOGOUT: dt.timedelta(days=3), NoticeKind.SIGNAL: dt.timedelta(days=30)}
"""How long an application that does not answer is told again; law.md R12 asks for its answer within three days."""
KEEP: Final = dt.timedelta(days=4)
"""How long after its time what became of a notice can be seen."""
_ANSWER: Final = 120
_ROWS: Final = 500


class NoticeStore:
    """The notices of the idp store, with its streams."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._secrets = keyring.secrets
        self._insert = database.insert
        self.streams = StreamStore(database, keyring)

    async def add(self, new: Iterable[NewNotice], now: dt.datetime) -> None:
        """Keep notices, sealed; those that were added before for the same cause are left as they are."""
        rows = [self._row(notice, now) for notice in new]
        statement = self._insert(notices).on_conflict_do_nothing(index_elements=["client", "kind", "event", "cause"])
        for start in range(0, len(rows), _ROWS):
            async with self._database.transaction() as transaction:
                await transaction.execute(statement, rows[start : start + _ROWS])
                await transaction.commit()

    def _row(self, new: NewNotice, now: dt.datetime) -> dict[str, Any]:
        notice = new_id()
        cell = self._secrets.seal("notice", (notice, new.client), json.dumps(dict(new.content)).encode())
        return {
            "id": notice, "client": new.client, "kind": new.kind, "event": new.event, "cause": new.cause, "cell": cell,
            "status": NoticeStatus.WAITING, "attempts": 0, "created_at": now, "expires_at": now + GIVE_UP[new.kind],
            "next_attempt_at": None if new.held else now,
        }  # fmt: skip

    # --- sending -----------------------------------------------------------------------------------------------------------------

    async def take(self, now: dt.datetime, *, busy: Collection[str] = (), each: int = 5, limit: int = 100) -> Sequence[Notice]:
        """Lease what is due: at most `each` of one application, none of those that are `busy`. A lease that ends is taken again."""
        due = (notices.c.status == NoticeStatus.WAITING) & (notices.c.next_attempt_at <= now) & notices.c.client.not_in(list(busy))
        place = sa.func.row_number().over(partition_by=notices.c.client, order_by=(notices.c.next_attempt_at, notices.c.id))
        ranked = sa.select(notices.c.id, notices.c.next_attempt_at, place.label("place")).where(due).subquery()
        chosen = sa.select(ranked.c.id).where(ranked.c.place <= each).order_by(ranked.c.next_attempt_at).limit(limit)
        statement = (
            sa.update(notices)
            # the outer condition is checked again by PostgreSQL after waiting for another process's lease
            .where(notices.c.id.in_(chosen), notices.c.status == NoticeStatus.WAITING, notices.c.next_attempt_at <= now)
            .values(next_attempt_at=now + LEASE, last_attempt_at=now, attempts=notices.c.attempts + 1)
            .returning(notices)
        )
        async with self._database.statement() as connection:
            rows = (await connection.execute(statement)).all()
        return [self._notice(row) for row in sorted(rows, key=lambda row: (row.created_at, row.id))]

    async def put_off(self, notice: Notice, now: dt.datetime, answer: str) -> bool:
        """Try again later, ever later; False when its time would be over by then: it is given up."""
        later = now + min(FIRST_RETRY * 2 ** min(notice.attempts - 1, 20), LONGEST_RETRY)
        if later >= notice.expires_at:
            await self.close(notice.id, NoticeStatus.GIVEN_UP, now, answer)
            return False
        statement = sa.update(notices).where(notices.c.id == notice.id, notices.c.status == NoticeStatus.WAITING)
        async with self._database.statement() as connection:
            await connection.execute(statement.values(next_attempt_at=later, answer=answer[:_ANSWER]))
        return True

    async def close(self, notice: str, status: NoticeStatus, now: dt.datetime, answer: str | None = None, *, client: str = "") -> bool:
        """Note what became of a notice, and forget what it said. `client`: only if it is that one's. False when it was closed before."""
        which = (notices.c.id == notice) & (notices.c.status == NoticeStatus.WAITING)
        values = {
            "status": status,
            "cell": None,
            "next_attempt_at": None,
            "last_attempt_at": now,
            "answer": (answer or "")[:_ANSWER] or None,
        }
        statement = sa.update(notices).where(which if not client else which & (notices.c.client == client)).values(values)
        async with self._database.statement() as connection:
            return (await connection.execute(statement)).rowcount > 0

    # --- being fetched -----------------------------------------------------------------------------------------------------------

    async def held(self, client: str, now: dt.datetime, limit: int) -> Sequence[Notice]:
        """Give what waits until an application fetches it, oldest first. It waits on until it is acknowledged (RFC 8936 §2.4)."""
        mine = (notices.c.client == client) & (notices.c.status == NoticeStatus.WAITING) & (notices.c.kind == NoticeKind.SIGNAL)
        statement = sa.select(notices).where(mine, notices.c.expires_at > now).order_by(notices.c.created_at, notices.c.id).limit(limit)
        async with self._database.read() as connection:
            return [self._notice(row) for row in await connection.execute(statement)]

    async def fetched(self, ids: Sequence[str], now: dt.datetime) -> None:
        """Count an attempt of each notice that was just given to its application."""
        statement = sa.update(notices).where(notices.c.id.in_(list(ids)))
        async with self._database.statement() as connection:
            await connection.execute(statement.values(attempts=notices.c.attempts + 1, last_attempt_at=now))

    async def redirect(self, client: str, now: dt.datetime, *, held: bool) -> None:
        """Let an application's waiting events go the way of its changed stream."""
        mine = (notices.c.client == client) & (notices.c.status == NoticeStatus.WAITING) & (notices.c.kind == NoticeKind.SIGNAL)
        async with self._database.statement() as connection:
            await connection.execute(sa.update(notices).where(mine).values(next_attempt_at=None if held else now))

    # --- looking and sweeping ----------------------------------------------------------------------------------------------------

    async def of_client(self, client: str, limit: int = 50) -> Sequence[Delivery]:
        """Give an application's newest notices."""
        statement = sa.select(notices).where(notices.c.client == client)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement.order_by(notices.c.created_at.desc(), notices.c.id).limit(limit))).all()
        names = ("id", "client", "attempts", "created_at", "last_attempt_at", "next_attempt_at", "answer", "event")
        return [
            Delivery(kind=NoticeKind(row.kind), status=NoticeStatus(row.status), **{name: getattr(row, name) for name in names})
            for row in rows
        ]

    async def overdue(self, before: dt.datetime) -> int:
        """Count the notices that wait since before a moment."""
        late = (notices.c.status == NoticeStatus.WAITING) & (notices.c.created_at < before)
        async with self._database.read() as connection:
            return int((await connection.execute(sa.select(sa.func.count()).select_from(notices).where(late))).scalar_one())

    async def late(self, before: dt.datetime) -> Sequence[LateNotices]:
        """Tell, by application and event, how many notices were made before a moment and never acknowledged."""
        unheard = (notices.c.status != NoticeStatus.DELIVERED) & (notices.c.created_at < before)
        columns = (notices.c.client, notices.c.event)
        counted = sa.select(*columns, sa.func.count(), sa.func.min(notices.c.created_at)).where(unheard).group_by(*columns)
        async with self._database.read() as connection:
            rows = (await connection.execute(counted.order_by(*columns))).all()
        return [LateNotices(*row) for row in rows]

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Give up what nobody fetched in time; delete what is over for long, at most `limit` of each; return how many rows went."""
        waiting = notices.c.status == NoticeStatus.WAITING
        late = sa.select(notices.c.id).where(waiting, notices.c.expires_at <= now).limit(limit)
        given_up = {"status": NoticeStatus.GIVEN_UP, "cell": None, "next_attempt_at": None}
        old = sa.select(notices.c.id).where(~waiting, notices.c.expires_at < now - KEEP).limit(limit)
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.update(notices).where(notices.c.id.in_(late)).values(given_up))
            gone = (await transaction.execute(sa.delete(notices).where(notices.c.id.in_(old)))).rowcount  # type: ignore[union-attr]
            await transaction.commit()
        return int(gone)

    def _notice(self, row: Row[Any]) -> Notice:
        content = json.loads(self._secrets.open("notice", (row.id, row.client), row.cell))
        return Notice(row.id, row.client, NoticeKind(row.kind), row.event, content, row.attempts, row.expires_at)

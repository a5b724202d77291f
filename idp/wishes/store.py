"""Where wishes rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.wishes.records import Wishes
from idp.wishes.tables import digests, wishes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.sql.base import Executable

    from keys.database import Database

    Statements = Iterable[Executable]

_w, _d = wishes.c, digests.c


class WishStore:
    """The wishes of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert

    async def of(self, person: str) -> Wishes:
        """Give a person's wishes."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(wishes).where(_w.person == person))).one_or_none()
        return Wishes() if row is None else Wishes(row.channel, row.digest)

    async def tell_by(self, person: str, channel: str, *, digest: bool) -> None:
        """Keep how a person is told."""
        wished = {"channel": channel, "digest": digest}
        statement = self._insert(wishes).values(person=person, **wished)
        async with self._database.statement() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["person"], set_=wished))

    async def erase(self, person: str) -> None:
        """Forget a person's wishes."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(wishes).where(_w.person == person))

    async def digest_position(self, month: str) -> str | None:
        """Tell after whom the letters about a month go on; "" at the beginning, None when all are written."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(digests).where(_d.month == month))).one_or_none()
        return "" if row is None else None if row.done else str(row.last)

    async def advance(self, month: str, before: str, last: str, letters: Statements, *, done: bool) -> bool:
        """Move on, and keep the letters in the same transaction; False, and nothing kept, when another process did."""
        async with self._database.transaction() as transaction:
            begin = self._insert(digests).values(month=month, last="", done=False).on_conflict_do_nothing()
            await transaction.execute(begin)
            move = sa.update(digests).where(_d.month == month, _d.last == before, _d.done.is_(False)).values(last=last, done=done)
            if (await transaction.execute(move.returning(_d.month))).first() is None:
                return False
            for letter in letters:
                await transaction.execute(letter)
            await transaction.commit()
        return True

    async def sweep(self, before: str, limit: int = 1000) -> int:
        """Forget the positions of months before this one."""
        old = sa.select(_d.month).where(_d.month < before).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(digests).where(_d.month.in_(old)))).rowcount

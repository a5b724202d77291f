"""Where a store's position in the journal of erased people rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from keys.journal.tables import journal_position

if TYPE_CHECKING:
    from keys.database import Database


class JournalPosition:
    """The position of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert

    async def read(self) -> int:
        """Give the number of the last line this store has followed; 0 before the first."""
        async with self._database.read() as connection:
            return int((await connection.execute(sa.select(journal_position.c.position))).scalar() or 0)

    async def advance(self, position: int) -> None:
        """Move on to `position`; never back, whoever races."""
        new = self._insert(journal_position).values(id=1, position=position)
        statement = new.on_conflict_do_update(
            index_elements=["id"], set_={"position": position}, where=journal_position.c.position < position
        )
        async with self._database.statement() as connection:
            await connection.execute(statement)

"""Where accounts are gone through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.accounts.records import AccountState
from idp.accounts.tables import accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.database import Database


class CensusStore:
    """The people of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, last: str, limit: int) -> Sequence[str]:
        """Give the next people whose account is not closed, in an order that stays."""
        statement = sa.select(accounts.c.person).where(accounts.c.person > last, accounts.c.state != AccountState.CLOSED)
        async with self._database.read() as connection:
            return (await connection.execute(statement.order_by(accounts.c.person).limit(limit))).scalars().all()

"""Waiting for the reads on their way: whoever took something back wants no value to leave after the answer that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from consent.access_log import statements
from keys.errors import StoreUnavailable

if TYPE_CHECKING:
    from keys.database import Database


async def settle(database: Database, seconds: float = 2.0) -> bool:
    """Wait until no read is on its way that was checked before what we committed; False when that took too long.

    A batch of the log holds the head row from before its guards are checked until it is committed, so holding that row once means that
    every such batch is over. SQLite has one writer, and our own commit waited for it.
    """
    if database.dialect == "sqlite":
        return True
    try:
        async with database.transaction() as transaction:
            await transaction.execute(sa.text(f"SET LOCAL lock_timeout = {int(seconds * 1000)}"))
            await transaction.execute(sa.text(statements.LOCK))
    except (DBAPIError, StoreUnavailable):
        return False
    return True

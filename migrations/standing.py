"""Where a store stands, without alembic: servers and commands ask this at every start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from keys.database import Database, StoreName

HERE = Path(__file__).parent


class NotMigrated(Exception):
    """A store is not at the revision this program needs. `standing` is None when it holds nothing yet."""

    def __init__(self, store: StoreName, standing: str | None, newest: str) -> None:
        super().__init__(f"the {store} store " + (f"stands at revision {standing}, not {newest}" if standing else "was never migrated"))
        self.store = store
        self.standing = standing
        self.newest = newest


def newest(store: StoreName) -> str:
    """Give the newest revision this program knows: revision files start with their number."""
    return max(file.name.partition("_")[0] for file in (HERE / store / "versions").glob("[0-9]*.py"))


async def standing(database: Database) -> str | None:
    """Give the revision a store stands at; None when it was never migrated. Raises: StoreUnavailable."""

    def read(connection: Connection) -> str | None:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return revision

    if database.absent:
        return None
    async with database.read() as connection:
        return await connection.run_sync(read)


async def require(store: StoreName, database: Database) -> None:
    """Refuse a store that is behind or ahead of this program. Raises: NotMigrated, StoreUnavailable."""
    found = await standing(database)
    if found != newest(store):
        raise NotMigrated(store, found, newest(store))

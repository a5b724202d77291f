"""Where a store stands, without alembic: servers and commands ask this at every start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from keys.database import Database, StoreName

HERE = Path(__file__).parent
_RIGHTS = sa.text(
    "SELECT current_user FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = :schema AND c.relname = 'alembic_version' "
    "AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))"
)


class NotMigrated(Exception):
    """A store is not at the revision this program needs. `standing` is None when it holds nothing yet. `mend` is the command to run."""

    mend = "idp database upgrade"

    def __init__(self, store: StoreName, standing: str | None, newest: str) -> None:
        super().__init__(f"the {store} store " + (f"stands at revision {standing}, not {newest}" if standing else "was never migrated"))
        self.store = store
        self.standing = standing
        self.newest = newest


class NoRights(NotMigrated):
    """The store was migrated, but this role may not work in it."""

    def __init__(self, store: StoreName, role: str) -> None:
        Exception.__init__(self, f"the role {role} has no rights in the {store} store")
        self.store = store
        self.mend = f"idp database upgrade --url OWNER --app-role {role}"


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
    """Refuse a store that is behind or ahead of this program. Raises: NotMigrated, NoRights, StoreUnavailable."""
    if database.dialect == "postgresql" and (role := await _without_rights(database)):
        raise NoRights(store, role)
    found = await standing(database)
    if found != newest(store):
        raise NotMigrated(store, found, newest(store))


async def _without_rights(database: Database) -> str | None:
    """Give the name of our role when the store's tables are there and it may not read them; to it they look as if they were not."""
    async with database.read() as connection:
        return (await connection.execute(_RIGHTS, {"schema": database.schema or "public"})).scalar_one_or_none()

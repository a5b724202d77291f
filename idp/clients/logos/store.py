"""Where logos rest, one for each application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.clients.logos.records import Logo
from idp.clients.tables import logos

if TYPE_CHECKING:
    from keys.database import Database


class LogoStore:
    """The logos of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert

    async def get(self, client_id: str) -> Logo | None:
        """Give what was fetched for an application, None when nothing was yet."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(logos).where(logos.c.client == client_id))).one_or_none()
        return None if row is None else Logo(row.uri, row.content_type, row.body, row.fetched_at)

    async def put(self, client_id: str, logo: Logo) -> None:
        """Keep what was fetched, in place of what was."""
        values = {"uri": logo.uri, "content_type": logo.content_type, "body": logo.body, "fetched_at": logo.fetched_at}
        statement = self._insert(logos).values(client=client_id, **values)
        async with self._database.statement() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["client"], set_=values))

    async def remove(self, client_id: str) -> None:
        """Forget an application's logo."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(logos).where(logos.c.client == client_id))

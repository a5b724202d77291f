"""Where streams rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.notices.streams.records import Stream
from idp.notices.tables import signal_streams

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from sqlalchemy import Row

    from keys.database import Database
    from keys.keyring import Keyring


class StreamStore:
    """The streams of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._secrets = keyring.secrets
        self._insert = database.insert

    async def put(self, stream: Stream, now: dt.datetime) -> None:
        """Add an application's stream, or change it. The header's value is sealed."""
        sealed = None
        if stream.authorization is not None:
            sealed = self._secrets.seal("signal-stream", (stream.client,), stream.authorization.encode())
        values = {"url": stream.url, "authorization": sealed, "events": " ".join(sorted(stream.events)), "changed_at": now}
        statement = self._insert(signal_streams).values(client=stream.client, **values)
        async with self._database.statement() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["client"], set_=values))

    async def get(self, client: str) -> Stream | None:
        """Give an application's stream."""
        return (await self.of([client])).get(client)

    async def of(self, clients: Collection[str]) -> Mapping[str, Stream]:
        """Give the streams of those of these applications that have one."""
        statement = sa.select(signal_streams).where(signal_streams.c.client.in_(list(clients)))
        async with self._database.read() as connection:
            return {row.client: self._stream(row) for row in await connection.execute(statement)}

    async def remove(self, client: str) -> bool:
        """End a stream; False when there was none."""
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(signal_streams).where(signal_streams.c.client == client))).rowcount > 0

    def _stream(self, row: Row[Any]) -> Stream:
        value = None
        if row.authorization is not None:
            value = self._secrets.open("signal-stream", (row.client,), row.authorization).decode()
        return Stream(row.client, frozenset(row.events.split()), row.url, value)

"""Where orders rest, and the set of those in force, which an append asks without a statement."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from consent.delays.records import Order
from consent.delays.tables import delay_orders
from consent.errors import LogUnavailable
from keys.errors import StoreUnavailable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from consent.access_log.delaying import Ordered
    from keys.database import Database

REFRESH_SECONDS: Final = 15.0
"""How often a process reads which orders are in force: so long after its confirmation at most, an order is kept by every process."""

_O = delay_orders.c


class Delays:
    """The orders of the consent store."""

    def __init__(self, database: Database, clock: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._clock = clock
        self._insert = database.insert
        self._known: dict[tuple[bytes, str], Order] | None = None
        self._refreshing = asyncio.Lock()

    async def over(self, client: str, chain: bytes) -> Ordered | None:
        """Give the order in force over what an application does about the person whose second chain this is; the longest of several.

        Raises: LogUnavailable while orders were never read: nothing is entered as open that should not be.
        """
        if self._known is None:
            try:
                await self.refresh()
            except StoreUnavailable as error:
                raise LogUnavailable("the orders of delay cannot be read") from error
        found = self._known.get((chain, client)) if self._known else None
        return found.ordered if found is not None and self._clock() < found.until else None

    async def refresh(self) -> None:
        """Read which orders are in force. Raises: StoreUnavailable; what was known stays then.

        One after another: a reading that began before a change must not be believed after one that began behind it.
        """
        wanted = sa.select(delay_orders).where(_O.chain.is_not(None), _O.ended_at.is_(None), _O.until > self._clock()).order_by(_O.until)
        async with self._refreshing:
            async with self._database.read() as connection:
                orders = [Order(*row) for row in await connection.execute(wanted)]
            self._known = {(order.chain, order.client): order for order in orders if order.chain is not None}

    async def put(self, order: Order) -> None:
        """Put an order into force: here at once, elsewhere within `REFRESH_SECONDS`. Doing it again changes nothing."""
        async with self._database.statement() as connection:
            await connection.execute(self._insert(delay_orders).values(dataclasses.asdict(order)).on_conflict_do_nothing())
        await self.refresh()

    async def end(self, order: str, by: str) -> Order | None:
        """End an order before its time: nothing more is delayed, and what was written stays as it says. None when it is over."""
        now = self._clock()
        which = (_O.id == order, _O.ended_at.is_(None), _O.until > now)
        ended = sa.update(delay_orders).where(*which).values(ended_at=now, ended_by=by).returning(*delay_orders.c)
        async with self._database.statement() as connection:
            row = (await connection.execute(ended)).one_or_none()
        await self.refresh()
        return None if row is None else Order(*row)

    async def get(self, order: str) -> Order | None:
        """Give an order."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(delay_orders).where(_O.id == order))).one_or_none()
        return None if row is None else Order(*row)

    async def newest(self, limit: int = 100) -> Sequence[Order]:
        """Give the newest orders."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(delay_orders).order_by(_O.begun_at.desc(), _O.id).limit(limit))
            return [Order(*row) for row in rows]

    async def forget(self, chain: bytes) -> None:
        """Let orders name an erased person no more; that there was an order stays known."""
        async with self._database.statement() as connection:
            await connection.execute(sa.update(delay_orders).where(_O.chain == chain).values(chain=None))

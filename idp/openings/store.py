"""Where packages of openings rest: kept whole, given out part by part to who proposed them, gone when their time is over."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.openings.records import Package
from idp.openings.tables import packages, parts

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from keys.database import Database

_P, _C = packages.c, parts.c


class OpeningStore:
    """The packages of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, package: Package, content: Sequence[bytes]) -> None:
        """Keep a package with its parts, all or nothing."""
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.insert(packages).values(dataclasses.asdict(package)))
            for number, part in enumerate(content):
                await transaction.execute(sa.insert(parts).values(proposal=package.proposal, part=number, content=part))
            await transaction.commit()

    async def get(self, proposal: str, now: dt.datetime) -> Package | None:
        """Give what is known of a package; None when there is none, or its time is over."""
        async with self._database.read() as connection:
            query = sa.select(packages).where(_P.proposal == proposal, _P.expires_at > now)
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else Package(**{**row, "complete": bool(row["complete"])})

    async def part(self, proposal: str, number: int, by: str, now: dt.datetime) -> bytes | None:
        """Give one part to who proposed the package; None to anybody else, or when its time is over."""
        whose = sa.select(_P.proposal).where(_P.proposal == proposal, _P.by == by, _P.expires_at > now)
        async with self._database.read() as connection:
            query = sa.select(_C.content).where(_C.proposal.in_(whose), _C.part == number)
            content: bytes | None = (await connection.execute(query)).scalar_one_or_none()
        return content

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` parts of packages whose time is over, then those packages; return how many rows went."""
        over = sa.select(_P.proposal).where(_P.expires_at <= now)
        async with self._database.read() as connection:
            query = sa.select(_C.proposal, _C.part).where(_C.proposal.in_(over)).limit(limit)
            old = [(row.proposal, row.part) for row in await connection.execute(query)]
        async with self._database.statement() as connection:
            if old:
                gone = await connection.execute(sa.delete(parts).where(sa.tuple_(_C.proposal, _C.part).in_(old)))
            else:
                gone = await connection.execute(sa.delete(packages).where(_P.expires_at <= now))
            return gone.rowcount

"""Where sealed cells are read. Several people's are read by one statement when they are asked for in the same moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from consent.records import SealedValue
from idp.accounts.records import Check, Source
from idp.accounts.tables import cells
from keys.grouped import Grouped, among
from keys.prepared import Prepared
from keys.sealing import Binding

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from keys.database import Database


def binding_of(person: str, claim: str) -> Binding:
    """Say where the cell of a claim stands; sealing binds to it."""
    return Binding(table="account_cells", column="cell", row=claim, person=person)


class CellStore:
    """The cells of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._columns = sa.select(cells.c.person, cells.c.claim, cells.c.cell, cells.c.source, cells.c.updated_at)
        both = self._columns.where(among(database, cells.c.person, "people"), among(database, cells.c.claim, "claims"))
        self._of_people = Prepared(database, both)
        self._grouped: Grouped[tuple[str, frozenset[str]], Sequence[SealedValue]] = Grouped(self._read)

    async def sealed(self, person: str, claims: Iterable[str] | None = None) -> Sequence[SealedValue]:
        """Give a person's cells as they rest, by claim; `claims` None gives all."""
        if claims is not None:
            return await self._grouped.get((person, frozenset(claims))) or ()
        async with self._database.read() as connection:
            rows = (await connection.execute(self._columns.where(cells.c.person == person).order_by(cells.c.claim))).all()
        return [_sealed(row) for row in rows]

    async def checks(self, person: str) -> Mapping[str, Check]:
        """Tell by claim who checked a person's values, how and when."""
        statement = sa.select(cells.c.claim, cells.c.verified_by, cells.c.verified_how, cells.c.verified_at)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement.where(cells.c.person == person))).all()
        return {row.claim: Check(row.verified_by, row.verified_how, row.verified_at) for row in rows}

    async def replace(self, before: SealedValue, cell: bytes) -> bool:
        """Put another cell of the same value in place of this one; False when the value was changed meanwhile."""
        same = (cells.c.person == before.person) & (cells.c.claim == before.claim) & (cells.c.cell == before.cell)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.update(cells).where(same).values(cell=cell))).rowcount > 0

    async def restate(self, person: str, stated: Mapping[str, bytes], unsaid: Iterable[str], now: dt.datetime) -> None:
        """Put the person's own words in place of earlier ones, and drop what is not said any more; verified cells stay as they are."""
        own = (cells.c.person == person) & (cells.c.source == Source.ASSERTED)
        insert = self._database.insert
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(cells).where(own, cells.c.claim.in_([*unsaid])))
            for claim, cell in stated.items():
                row = {"cell": cell, "source": Source.ASSERTED, "updated_at": now}
                upsert = insert(cells).values(person=person, claim=claim, **row)
                await transaction.execute(
                    upsert.on_conflict_do_update(index_elements=["person", "claim"], set_=row, where=cells.c.source == Source.ASSERTED)
                )
            await transaction.commit()

    async def _read(self, asked: Sequence[tuple[str, frozenset[str]]]) -> Mapping[tuple[str, frozenset[str]], Sequence[SealedValue]]:
        people, claims = {person for person, _ in asked}, {claim for _, names in asked for claim in names}
        rows = await self._of_people.all({"people": [*people], "claims": [*claims]})
        owned: dict[str, list[SealedValue]] = {person: [] for person in people}
        for row in rows:
            owned[row.person].append(_sealed(row))
        return {key: sorted((value for value in owned[key[0]] if value.claim in key[1]), key=lambda value: value.claim) for key in asked}


def _sealed(row: Any) -> SealedValue:  # noqa: ANN401 - a row of five columns
    return SealedValue(
        person=row.person,
        claim=row.claim,
        cell=row.cell,
        binding=binding_of(row.person, row.claim),
        source=row.source,
        updated_at=row.updated_at,
    )

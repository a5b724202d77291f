"""Making an erased person's entries about nobody that can be found: their subject columns become NULL; leaves and proofs stay."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consent.access_log import tables
from consent.access_log.opening import Row, subject_of
from consent.errors import ChainDoubtful

if TYPE_CHECKING:
    from keys.database import Database
    from keys.log_subjects import LogKey

_E, _C = tables.entries.c, tables.chains.c


@dataclasses.dataclass(frozen=True, slots=True)
class Closing:
    """A chain as its erase entry leaves it: its reference, and how many of its entries, that one included, open as the person's."""

    reference: bytes
    count: int


async def closing(database: Database, key: LogKey, reference: bytes) -> Closing:
    """Count what opens in a chain, while the log key lives: the number that the erasure may state, whatever the chain's row says."""
    async with database.read() as connection:
        rows = await connection.execute(sa.select(tables.entries).where(_E.subject_ref == reference))
        return Closing(reference, sum(subject_of(Row(*row), key) is not None for row in rows))


async def standing(database: Database, reference: bytes) -> tuple[bool, int | None]:
    """Tell whether there is such a chain, and the index of the erase entry that closed it."""
    async with database.read() as connection:
        row = (await connection.execute(sa.select(_C.closed_by).where(_C.subject_ref == reference))).one_or_none()
    return (row is not None, row.closed_by if row else None)


async def orphaned(database: Database, reference: bytes) -> int | None:
    """Count the entries of an open chain whose key is gone; None when there is no such chain, or it is closed.

    Raises: ChainDoubtful when the entries found are not as many as the chain's row says.
    """
    length = sa.select(_C.length).where(_C.subject_ref == reference, _C.closed_by.is_(None))
    number = sa.select(sa.func.count()).where(_E.subject_ref == reference)
    async with database.read() as connection:
        stated = (await connection.execute(length)).scalar_one_or_none()
        found = int((await connection.execute(number)).scalar_one())
    if stated is not None and stated != found:
        raise ChainDoubtful(f"a chain without a key has {found} entries, its row says {stated}")
    return stated


class NotErased(Exception):
    """The index is not that of the erase entry of a closed chain."""


async def forget(database: Database, erase_index: int) -> int:
    """Null the subject columns of the person whose chain the erase entry at this index closed: the chain that its row names, no other.

    On PostgreSQL a function of the tables' owner does it, since the program's role may not UPDATE entries.
    Returns: how many entries it concerned. Raises: NotErased, StoreUnavailable.
    """
    async with database.transaction() as transaction:
        closing = sa.select(_C.subject_ref).join(tables.entries, (_E.idx == _C.closed_by) & (_E.closes == _C.subject_ref))
        closing = closing.where(_C.closed_by == erase_index, _E.action == "erase")
        closed = (await transaction.execute(closing)).scalar_one_or_none()
        if closed is None:
            raise NotErased(f"entry {erase_index} does not close a chain")
        if database.dialect == "postgresql":
            statement: sa.Executable = sa.text("SELECT log_forget(:index)").bindparams(index=erase_index)
            count = int((await transaction.execute(statement)).scalar_one())
        else:
            statement = sa.update(tables.entries).where(_E.subject_ref == closed).values(subject_ref=None, subject_sealed=None)
            count = len((await transaction.execute(statement.returning(_E.idx))).all())
        await transaction.commit()
    return count

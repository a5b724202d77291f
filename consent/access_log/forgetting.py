"""Making an erased person's entries about nobody that can be found: their subject columns become NULL; leaves and proofs stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from consent.access_log import tables

if TYPE_CHECKING:
    from keys.database import Database

_E, _C = tables.entries.c, tables.chains.c


class NotErased(Exception):
    """The index is not that of the erase entry of a closed chain."""


async def forget(database: Database, erase_index: int) -> int:
    """Null the subject columns of the person whose chain the erase entry at this index closed.

    On PostgreSQL a function of the tables' owner does it, since the program's role may not UPDATE entries.
    Returns: how many entries it concerned. Raises: NotErased, StoreUnavailable.
    """
    async with database.transaction() as transaction:
        closing = sa.select(_C.subject_ref).join(tables.entries, _E.idx == _C.closed_by)
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

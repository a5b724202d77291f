"""What the stores of this package share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from keys.errors import RootVersionGone

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import CursorResult, Result
    from sqlalchemy.sql.base import Executable

    from keys.database import Database, Transaction


class Store:
    """A part of the keys store. Each method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database


def insert_new(database: Database, table: sa.Table, **values: Any) -> sa.Insert:  # noqa: ANN401 - column values
    """Build an INSERT that yields to a row that is there already: the way to create without a race."""
    return database.insert(table).values(**values).on_conflict_do_nothing()


async def guarded(transaction: Transaction, statement: Executable) -> CursorResult[Any] | Result[Any]:
    """Run a write of wrapped values.

    Raises: RootVersionGone when the root version that wrapped them was destroyed meanwhile (the foreign key refuses).
    """
    try:
        return await transaction.execute(statement)
    except IntegrityError as error:
        raise RootVersionGone from error

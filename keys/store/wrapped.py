"""Wrapped values wherever they are, for rewrapping: read by root version, replaced in batches, counted before a version is destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from keys.custody import version_of
from keys.database import clock
from keys.errors import RootVersionGone
from keys.records import WrappedRow
from keys.store import tables
from keys.store.base import Store, insert_new

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TABLES: Final[Mapping[str, sa.Table]] = {
    table.name: table
    for table in (tables.named_secrets, tables.signing_keys, tables.checkpoint_keys, tables.subject_keys, tables.data_keys)
}


class WrappedStore(Store):
    """All wrapped values as one list."""

    async def count_below(self, version: int) -> int:
        """Count the values that a root version older than `version` wraps."""
        counts = [sa.select(sa.func.count().label("n")).where(table.c.root_version < version) for table in TABLES.values()]
        async with self.database.read() as connection:
            return sum((await connection.execute(sa.union_all(*counts))).scalars())

    async def below(self, table: str, version: int, limit: int) -> Sequence[WrappedRow]:
        """Give up to `limit` values of one table that a root version older than `version` wraps."""
        wrapping = TABLES[table]
        keys = list(wrapping.primary_key.columns)
        query = sa.select(*keys, wrapping.c.wrapped).where(wrapping.c.root_version < version).order_by(*keys).limit(limit)
        async with self.database.read() as connection:
            return [WrappedRow(table, tuple(row[:-1]), row[-1]) for row in await connection.execute(query)]

    async def replace(self, table: str, pairs: Sequence[tuple[WrappedRow, bytes]]) -> None:
        """Put rewrapped values in place of the old ones, all or none; a row that changed or went meanwhile is left alone.

        Raises: RootVersionGone when the store does not know the new root version (yet, or any more).
        """
        wrapping = TABLES[table]
        keys = list(wrapping.primary_key.columns)
        same_row = [column == sa.bindparam(f"key_{number}") for number, column in enumerate(keys)]
        statement = (
            sa.update(wrapping)
            .where(*same_row, wrapping.c.root_version == sa.bindparam("old_version"))
            .values(wrapped=sa.bindparam("new_wrapped"), root_version=sa.bindparam("new_version"))
        )
        values = [
            {
                **{f"key_{number}": part for number, part in enumerate(row.key)},
                "old_version": version_of(row.wrapped),
                "new_wrapped": new,
                "new_version": version_of(new),
            }
            for row, new in pairs
        ]
        async with self.database.transaction() as transaction:
            try:
                await transaction.execute(statement, values)
            except IntegrityError as error:
                raise RootVersionGone from error
            await transaction.commit()

    async def destroy_root_version(self, version: int) -> bool:
        """Take a version out of use; False when something still is wrapped by it. The foreign keys decide, so no race can lose a value."""
        table, destroyed = tables.root_versions, tables.destroyed_root_versions
        async with self.database.transaction() as transaction:
            try:
                gone = await transaction.execute(sa.delete(table).where(table.c.version == version).returning(table.c.created_at))
                created = gone.scalar_one_or_none()
            except IntegrityError:
                return False
            if created is not None:
                now = await clock(transaction)
                record = insert_new(self.database, destroyed, version=version, created_at=created, destroyed_at=now)
                await transaction.execute(record)
                await transaction.commit()
        return True

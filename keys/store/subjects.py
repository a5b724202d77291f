"""Keys of people: one row per person (log key, newest generation, or the fact of destruction), and a row per data key generation.

The person's row is also the lock: creating, rotating and destroying all write it first, so none of them can slip past another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from keys.custody import version_of
from keys.database import clock
from keys.errors import KeyDestroyed
from keys.grouped import Grouped, among
from keys.records import WrappedDataKey
from keys.store import tables
from keys.store.base import Store, guarded, insert_new

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from keys.database import Database, Transaction

_subjects, _data = tables.subject_keys, tables.data_keys


class SubjectKeyStore(Store):
    """Wrapped data keys and log keys of people. Those who read a key in the same moment share a statement."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        newest = sa.select(_subjects.c.generation).where(_subjects.c.person == _data.c.person, _subjects.c.destroyed_at.is_(None))
        self._data_keys = sa.select(_data.c.person, _data.c.generation, _data.c.wrapped, newest.scalar_subquery().label("newest")).where(
            among(database, _data.c.person, "persons")
        )
        self._log_keys = sa.select(_subjects.c.person, _subjects.c.wrapped).where(
            among(database, _subjects.c.person, "persons"), _subjects.c.destroyed_at.is_(None), _subjects.c.wrapped.is_not(None)
        )
        self._data: Grouped[tuple[str, int | None], WrappedDataKey] = Grouped(self._read_data_keys)
        self._logs: Grouped[str, bytes] = Grouped(self.log_keys)

    async def create(self, person: str, log_key: bytes, data_key: bytes) -> bool:
        """Store a person's first keys; False when the person has keys already.

        Raises: KeyDestroyed when the person's keys were destroyed: nobody gets new ones under an old id.
        """
        async with self.database.transaction() as transaction:
            now = await clock(transaction)
            subject = insert_new(
                self.database,
                _subjects,
                person=person,
                generation=1,
                wrapped=log_key,
                root_version=version_of(log_key),
                created_at=now,
            )
            created = await guarded(transaction, subject.returning(_subjects.c.person))
            if created.one_or_none() is None:
                await _require_alive(transaction, person)
                return False
            await self._add_data_key(transaction, person, 1, data_key, now)
            await transaction.commit()
        return True

    async def rotate(self, person: str, generation: int, data_key: bytes) -> bool:
        """Store the data key of the next `generation`; False when another process made it first.

        Raises: KeyDestroyed.
        """
        step = (
            sa.update(_subjects)
            .where(_subjects.c.person == person, _subjects.c.generation == generation - 1, _subjects.c.destroyed_at.is_(None))
            .values(generation=generation)
            .returning(_subjects.c.person)
        )
        async with self.database.transaction() as transaction:
            if (await transaction.execute(step)).one_or_none() is None:
                await _require_alive(transaction, person)
                return False
            await self._add_data_key(transaction, person, generation, data_key, await clock(transaction))
            await transaction.commit()
        return True

    async def data_key(self, person: str, generation: int | None) -> WrappedDataKey | None:
        """Give a data key, the newest when `generation` is None; None when there is none (any more)."""
        return await self._data.get((person, generation))

    async def _read_data_keys(self, asked: Sequence[tuple[str, int | None]]) -> Mapping[tuple[str, int | None], WrappedDataKey]:
        async with self.database.read() as connection:
            rows = (await connection.execute(self._data_keys, {"persons": [*{person for person, _ in asked}]})).all()
        keys = [WrappedDataKey(row.person, row.generation, row.wrapped, row.newest) for row in rows if row.newest is not None]
        found: dict[tuple[str, int | None], WrappedDataKey] = {(key.person, key.generation): key for key in keys}
        return found | {(key.person, None): key for key in keys if key.generation == key.newest}

    async def log_key(self, person: str) -> bytes | None:
        """Give the wrapped log key of a person, if there is one."""
        return await self._logs.get(person)

    async def log_keys(self, persons: Sequence[str]) -> Mapping[str, bytes]:
        """Give the wrapped log keys of those that have one, in one round trip."""
        async with self.database.read() as connection:
            return {row.person: row.wrapped for row in await connection.execute(self._log_keys, {"persons": [*{*persons}]})}

    async def persons_after(self, person: str, limit: int) -> Sequence[str]:
        """Give the next people that have a log key, in the order of their ids."""
        query = (
            sa.select(_subjects.c.person)
            .where(_subjects.c.person > person, _subjects.c.destroyed_at.is_(None), _subjects.c.wrapped.is_not(None))
            .order_by(_subjects.c.person)
            .limit(limit)
        )
        async with self.database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def superseded_after(self, person: str, limit: int) -> Sequence[str]:
        """Give the next people that still have a data key older than their newest, in the order of their ids."""
        older = sa.exists().where(_data.c.person == _subjects.c.person, _data.c.generation < _subjects.c.generation)
        query = sa.select(_subjects.c.person).where(_subjects.c.person > person, _subjects.c.destroyed_at.is_(None), older)
        async with self.database.read() as connection:
            return list((await connection.execute(query.order_by(_subjects.c.person).limit(limit))).scalars())

    async def made_before(self, moment: dt.datetime, limit: int) -> Sequence[str]:
        """Name people whose newest data key was made before `moment`."""
        newest = (_data.c.person == _subjects.c.person) & (_data.c.generation == _subjects.c.generation)
        query = sa.select(_subjects.c.person).join(_data, newest).where(_subjects.c.destroyed_at.is_(None), _data.c.created_at < moment)
        async with self.database.read() as connection:
            return list((await connection.execute(query.limit(limit))).scalars())

    async def destroy(self, person: str) -> bool:
        """Destroy every key of a person, for good; False when they were destroyed before. Unknown people are marked destroyed too."""
        async with self.database.transaction() as transaction:
            now = await clock(transaction)
            await transaction.execute(insert_new(self.database, _subjects, person=person, generation=0, created_at=now))
            mark = (
                sa.update(_subjects)
                .where(_subjects.c.person == person, _subjects.c.destroyed_at.is_(None))
                .values(destroyed_at=now, wrapped=None, root_version=None)
                .returning(_subjects.c.person)
            )
            marked = (await transaction.execute(mark)).one_or_none() is not None
            await transaction.execute(sa.delete(_data).where(_data.c.person == person))
            await transaction.commit()
        return marked

    async def destroyed_since(self, moment: dt.datetime, limit: int) -> Sequence[str]:
        """Name people whose keys were destroyed at `moment` or later, so that caches can drop them."""
        query = sa.select(_subjects.c.person).where(_subjects.c.destroyed_at >= moment).order_by(_subjects.c.destroyed_at.desc())
        async with self.database.read() as connection:
            return list((await connection.execute(query.limit(limit))).scalars())

    async def drop_generations(self, person: str, below: int, superseded: dt.timedelta) -> int:
        """Delete data keys older than generation `below`, if `below` has stood for `superseded`; return how many.

        A process may seal under the generation before for as long as its cache lasts; what it sealed must stay readable.
        """
        settled = sa.select(_data.c.created_at).where(_data.c.person == person, _data.c.generation == below)
        async with self.database.transaction() as transaction:
            now = await clock(transaction)
            since = (await transaction.execute(settled)).scalar_one_or_none()
            if since is None or now - since < superseded:
                return 0
            dropped = await transaction.execute(
                sa.delete(_data).where(_data.c.person == person, _data.c.generation < below).returning(_data.c.generation)
            )
            count = len(dropped.all())
            await transaction.commit()
        return count

    async def _add_data_key(self, transaction: Transaction, person: str, generation: int, wrapped: bytes, now: dt.datetime) -> None:
        values: dict[str, Any] = {"person": person, "generation": generation, "wrapped": wrapped, "created_at": now}
        await guarded(transaction, sa.insert(_data).values(root_version=version_of(wrapped), **values))


async def _require_alive(transaction: Transaction, person: str) -> None:
    query = sa.select(_subjects.c.person).where(_subjects.c.person == person, _subjects.c.destroyed_at.is_(None))
    if (await transaction.execute(query)).one_or_none() is None:
        raise KeyDestroyed

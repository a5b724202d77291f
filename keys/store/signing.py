"""Signing keys and the checkpoint key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from keys.custody import version_of
from keys.database import clock
from keys.records import StoredCheckpointKey, StoredSigningKey
from keys.store import tables
from keys.store.base import Store, guarded, insert_new

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence


class SigningKeyStore(Store):
    """Signing keys of every state."""

    async def signing_keys(self) -> tuple[dt.datetime, Sequence[StoredSigningKey]]:
        """Give the database's clock and every signing key, removed ones too, by algorithm and age."""
        table = tables.signing_keys
        async with self.database.read() as connection:
            now = await clock(connection)
            rows = await connection.execute(sa.select(table).order_by(table.c.algorithm, table.c.sequence))
            return now, [_signing_key(row) for row in rows]

    async def add_signing_key(self, key: StoredSigningKey) -> bool:
        """Store a key; False when another process has already made the one of this algorithm and sequence."""
        async with self.database.transaction() as transaction:
            added = await guarded(
                transaction,
                insert_new(
                    self.database,
                    tables.signing_keys,
                    kid=key.kid,
                    algorithm=key.algorithm,
                    sequence=key.sequence,
                    public_jwk=key.public_jwk,
                    wrapped=key.wrapped,
                    root_version=None if key.wrapped is None else version_of(key.wrapped),
                    created_at=key.created_at,
                    not_before=key.not_before,
                ).returning(tables.signing_keys.c.kid),
            )
            new = added.one_or_none() is not None
            await transaction.commit()
        return new

    async def hasten_signing_key(self, kid: str, not_before: dt.datetime) -> None:
        """Let a pending key become active earlier; a key that is active already is left alone."""
        table = tables.signing_keys
        async with self.database.statement() as connection:
            await connection.execute(
                sa.update(table).where(table.c.kid == kid, table.c.not_before > not_before).values(not_before=not_before)
            )

    async def forget_private_part(self, kid: str) -> None:
        """Destroy the private part of a key that signs no more."""
        await self._signing_key_values(kid, wrapped=None, root_version=None)

    async def remove_signing_key(self, kid: str, at: dt.datetime) -> bool:
        """Remove a key: neither published nor accepted from now on; False when it was. Its row stays, so that history can be listed."""
        return await self._signing_key_values(kid, wrapped=None, root_version=None, removed_at=at)

    async def _signing_key_values(self, kid: str, **values: object) -> bool:
        table = tables.signing_keys
        change = sa.update(table).where(table.c.kid == kid, table.c.removed_at.is_(None)).values(**values).returning(table.c.kid)
        async with self.database.statement() as connection:
            return (await connection.execute(change)).one_or_none() is not None


class CheckpointKeyStore(Store):
    """The keys of the log's signer, by number: the first, and one more for each succession."""

    async def checkpoint_key(self, number: int) -> StoredCheckpointKey | None:
        """Give a checkpoint key; None when there is none of this number."""
        return await self._one(sa.select(tables.checkpoint_keys).where(tables.checkpoint_keys.c.number == number))

    async def newest_checkpoint_key(self) -> StoredCheckpointKey | None:
        """Give the checkpoint key of the highest number; None before the first."""
        return await self._one(sa.select(tables.checkpoint_keys).order_by(tables.checkpoint_keys.c.number.desc()).limit(1))

    async def _one(self, wanted: sa.Select[Any]) -> StoredCheckpointKey | None:
        async with self.database.read() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else StoredCheckpointKey(row.number, row.public_key, row.wrapped)

    async def add_checkpoint_key(self, key: StoredCheckpointKey) -> None:
        """Store a checkpoint key unless one of that number exists."""
        async with self.database.transaction() as transaction:
            await guarded(
                transaction,
                insert_new(
                    self.database,
                    tables.checkpoint_keys,
                    number=key.number,
                    public_key=key.public_key,
                    wrapped=key.wrapped,
                    root_version=None if key.wrapped is None else version_of(key.wrapped),
                    created_at=await clock(transaction),
                ),
            )
            await transaction.commit()


def _signing_key(row: sa.Row[Any]) -> StoredSigningKey:
    return StoredSigningKey(
        kid=row.kid,
        algorithm=row.algorithm,
        sequence=row.sequence,
        public_jwk=row.public_jwk,
        wrapped=row.wrapped,
        created_at=row.created_at,
        not_before=row.not_before,
        removed_at=row.removed_at,
    )

"""Where sectors' names rest. A name is computed from a person and cannot be undone, so whoever says one is looked up by its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.subjects.tables import sector_subjects
from keys.encoding import length_prefixed

if TYPE_CHECKING:
    from keys.database import Database
    from keys.keyring import Keyring


class SubjectStore:
    """The sectors' names of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._insert = database.insert

    async def note(self, sector: str, subject: str, person: str) -> None:
        """Note that a sector may know a person from now on; again is the same as once."""
        row = {"digest": self._digest(sector, subject), "person": person}
        async with self._database.statement() as connection:
            await connection.execute(self._insert(sector_subjects).values(row).on_conflict_do_nothing())

    async def person_of(self, sector: str, subject: str) -> str | None:
        """Give the person whom a sector knows under this name."""
        wanted = sa.select(sector_subjects.c.person).where(sector_subjects.c.digest == self._digest(sector, subject))
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(wanted)).scalar_one_or_none()
        return found

    async def erase(self, person: str) -> None:
        """Forget a person."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(sector_subjects).where(sector_subjects.c.person == person))

    def _digest(self, sector: str, subject: str) -> bytes:
        return self._keyring.digests.digest("sector_subject", length_prefixed(sector, subject).hex())

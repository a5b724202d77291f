"""Where sectors' names rest. A name is computed from a person and cannot be undone, so whoever says one is looked up by its digest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from idp.subjects.tables import sector_subjects
from keys.encoding import length_prefixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.database import Database
    from keys.keyring import Keyring


_WHOLE: Final = ""
"""No subject is empty (OIDC Core §2), so this name marks the sector itself."""


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

    async def whole(self, sector: str) -> bool:
        """Tell whether everybody whom a sector may know is noted, also those from before names were noted."""
        return await self.person_of(sector, _WHOLE) is not None

    async def note_all(self, sector: str, named: Sequence[tuple[str, str]], *, last: bool) -> None:
        """Note many (subject, person), and with the `last` of them that the sector is whole."""
        rows = [{"digest": self._digest(sector, subject), "person": person} for subject, person in named]
        if last:
            rows.append({"digest": self._digest(sector, _WHOLE), "person": ""})
        if rows:
            async with self._database.statement() as connection:
                await connection.execute(self._insert(sector_subjects).on_conflict_do_nothing(), rows)

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

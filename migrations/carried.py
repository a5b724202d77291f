"""What an upgrade carries from one store to another; no store's own migration may reach into another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from keys.opaque import new_id
from migrations import standing

if TYPE_CHECKING:
    from keys.database import Database

_KEPT_UNTIL: Final = "0014"
_FROZEN = sa.text("SELECT person, frozen_at FROM citizen_wishes WHERE frozen_at IS NOT NULL")
_FREEZE = sa.text(
    "INSERT INTO freezes (person, entry_id, frozen_at, entered_at) "
    "VALUES (CAST(:person AS text), CAST(:entry AS text), :frozen_at, :frozen_at) ON CONFLICT DO NOTHING"
)
_CARRIED = sa.text("UPDATE citizen_wishes SET frozen_at = NULL WHERE frozen_at IS NOT NULL")


async def freezes(idp: Database, consent: Database) -> int:
    """Carry freezes to the consent store, before the idp store leaves the revision that kept them; return how many.

    Their entries were written when they began. A crash in between leaves them in both stores: run again, it is done again.
    """
    if await standing.standing(idp) != _KEPT_UNTIL:
        return 0
    async with idp.read() as connection:
        rows = (await connection.execute(_FROZEN)).all()
    found = [{"person": row.person, "entry": new_id(), "frozen_at": row.frozen_at} for row in rows]
    if not found:
        return 0
    async with consent.transaction() as transaction:
        await transaction.execute(_FREEZE, found)
        await transaction.commit()
    async with idp.statement() as connection:
        await connection.execute(_CARRIED)
    return len(found)

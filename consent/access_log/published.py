"""The two checkpoints that the database holds: the newest signed one, and the public one, which moves once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from consent.access_log import tables

if TYPE_CHECKING:
    import datetime as dt

    from consent.checkpoint import Checkpoint
    from keys.database import Database

_T = tables.checkpoints.c
_SAVE = (
    "INSERT INTO log_checkpoints (kind, size, root, note, time) VALUES (:kind, :size, :root, :note, :time) "
    "ON CONFLICT (kind) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, time = excluded.time"
)
_TYPES = (sa.bindparam("size", type_=_T.size.type), sa.bindparam("root", type_=_T.root.type), sa.bindparam("time", type_=_T.time.type))
_FORWARD = sa.text(f"{_SAVE} WHERE log_checkpoints.size <= excluded.size").bindparams(*_TYPES)
_ANYWHERE = sa.text(_SAVE).bindparams(*_TYPES)


async def save_checkpoint(
    database: Database,
    kind: Literal["signed", "published"],
    checkpoint: Checkpoint,
    note: str,
    now: dt.datetime,
    *,
    succession: bool = False,
) -> None:
    """Store the note, unless a larger one is there; in a succession whatever is there. Raises: StoreUnavailable."""
    values = {"kind": kind, "size": checkpoint.size, "root": checkpoint.root, "note": note, "time": now}
    async with database.statement() as connection:
        await connection.execute(_ANYWHERE if succession else _FORWARD, values)

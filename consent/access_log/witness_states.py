"""What each witness last said of this log. The signer's process writes it; every process reads whether one of them raised the alarm."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from consent.access_log import tables

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from keys.database import Database

Outcome = Literal["cosigned", "unreachable", "refused", "rollback"]
_T = tables.witnesses.c
_COLUMNS = ("vkey", "origin", "size", "cosigned_at", "asked_at", "outcome", "problem")
_SAVE = sa.text(
    f"INSERT INTO log_witnesses ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) "  # noqa: S608 - our own names
    f"ON CONFLICT (vkey) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
).bindparams(*(sa.bindparam(name, type_=_T[name].type) for name in _COLUMNS))


@dataclasses.dataclass(frozen=True, slots=True)
class WitnessState:
    """A witness' last word. `size`: how much it cosigned; `cosigned_at`: when, by its own clock; `problem`: why it did not, this time."""

    vkey: str
    origin: str
    size: int
    cosigned_at: dt.datetime | None
    asked_at: dt.datetime
    outcome: Outcome
    problem: str | None


async def save(database: Database, states: Sequence[WitnessState]) -> None:
    """Store these. Raises: StoreUnavailable."""
    for state in states:
        async with database.statement() as connection:
            await connection.execute(_SAVE, dataclasses.asdict(state))


async def known(connection: AsyncConnection, origin: str) -> Mapping[str, WitnessState]:
    """Give what is known of the log of this origin: the witness' verifier key → its state."""
    rows = await connection.execute(sa.select(*(_T[name] for name in _COLUMNS)).where(_T.origin == origin))
    return {row.vkey: WitnessState(*row) for row in rows}


async def rollback(connection: AsyncConnection, origin: str, witnesses: frozenset[str]) -> str | None:
    """Tell what one of these witnesses says against this log: that it saw another, or more of it."""
    rows = await connection.execute(sa.select(_T.vkey, _T.problem).where(_T.origin == origin, _T.outcome == "rollback").order_by(_T.vkey))
    return next((row.problem for row in rows if row.vkey in witnesses), None)

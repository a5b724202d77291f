"""Where freezes rest. Freezing is felt first and entered after, from the row itself; opening again is one transaction with its entry.

So a crash, or a log that is away, leaves either nothing, or a freeze whose entry follows: never data that look frozen and are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa
import structlog

from consent.access_log.records import Actor, Denied, Entry, Record, Subject
from consent.access_log.settling import settle
from consent.errors import ChainClosed, CompanionMissed, LogBusy, LogUnavailable
from consent.freezes.tables import freezes
from keys.errors import KeyDestroyed, StoreUnavailable
from keys.opaque import new_id

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from consent.access_log import AccessLog
    from keys.database import Database

LEGAL_REF: Final = "UU 27/2022 Art. 11"
_BATCH: Final = 64
_f = freezes.c
_log = structlog.get_logger(__name__)


class Freeze(NamedTuple):
    """Whose data are frozen, since when, and by which entry; `entered_at` None while that entry is still to be written."""

    person: str
    entry_id: str
    frozen_at: dt.datetime
    entered_at: dt.datetime | None


class Freezes:
    """The freezes of the consent store."""

    def __init__(self, database: Database, log: AccessLog, clock: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._insert = database.insert

    async def of(self, person: str) -> Freeze | None:
        """Give a person's freeze. Raises: StoreUnavailable."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(freezes).where(_f.person == person))).one_or_none()
        return None if row is None else Freeze(*row)

    async def freeze(self, person: str) -> bool:
        """Let nothing be read from now on, also while the log is away; False when it was frozen already.

        When this returns, every read that was decided before is committed or denied. Raises: StoreUnavailable (nothing was changed).
        """
        values = {"person": person, "entry_id": new_id(), "frozen_at": self._clock(), "entered_at": None}
        statement = self._insert(freezes).values(values).on_conflict_do_nothing().returning(*_f)
        async with self._database.statement() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return False
        if not await settle(self._database):
            _log.warning("freeze_did_not_wait_for_the_log")
        await self._try_to_enter(Freeze(*row))
        return True

    async def thaw(self, person: str) -> bool:
        """Let be read again what permissions allow, together with the entry that says so; False when nothing was frozen.

        Raises: LogUnavailable, LogBusy, StoreUnavailable (it stays frozen).
        """
        found = await self.of(person)
        if found is None:
            return False
        if found.entered_at is None:
            await self._enter(found)
        lifted = sa.delete(freezes).where(_f.entry_id == found.entry_id)
        try:
            receipt = await self._log.append(Entry(_record("unfrozen"), Subject(person, actor=Actor("citizen"))), None, [lifted])
        except CompanionMissed:  # the same click, twice
            return False
        if isinstance(receipt, Denied):
            raise LogUnavailable("the entry was denied")
        return True

    async def flush(self) -> int:
        """Enter the freezes that the log does not know yet, oldest first; give how many."""
        waiting = sa.select(freezes).where(_f.entered_at.is_(None)).order_by(_f.frozen_at).limit(_BATCH)
        async with self._database.read() as connection:
            rows = (await connection.execute(waiting)).all()
        return sum([await self._try_to_enter(Freeze(*row)) for row in rows])

    async def forget(self, person: str) -> None:
        """Forget the freeze of an erased person."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(freezes).where(_f.person == person))

    async def _try_to_enter(self, freeze: Freeze) -> bool:
        try:
            await self._enter(freeze)
        except (LogUnavailable, LogBusy, StoreUnavailable) as error:
            _log.warning("freeze_still_to_be_entered", error=type(error).__name__)
            return False
        return True

    async def _enter(self, freeze: Freeze) -> None:
        """Write the entry of a freeze, once, by however many processes. Raises: LogUnavailable, LogBusy."""
        entry = Entry(_record("frozen", freeze.frozen_at), Subject(freeze.person, actor=Actor("citizen")), freeze.entry_id)
        entered = sa.update(freezes).where(_f.entry_id == freeze.entry_id, _f.entered_at.is_(None)).values(entered_at=self._clock())
        try:
            await self._log.append(entry, None, [entered])
        except CompanionMissed:
            return
        except (ChainClosed, KeyDestroyed):  # erased meanwhile: there is nothing left to freeze
            await self.forget(freeze.person)


def _record(outcome: str, occurred: dt.datetime | None = None) -> Record:
    return Record(action="update", legal_ref=LEGAL_REF, channel="self", outcome=outcome, occurred=occurred)

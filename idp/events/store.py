"""Where security events rest, and which devices a person has signed in from."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.events.counters.store import CounterStore
from idp.events.outbox.store import OutboxStore
from idp.events.records import EventKind, SecurityEvent
from idp.events.tables import known_devices, outbox, security_events
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.database import Database
    from keys.keyring import Keyring

KEEP_EVENTS = dt.timedelta(days=365)
KEEP_DEVICES = dt.timedelta(days=365)


class EventStore:
    """The security events of the idp store, with its outbox and counters."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._insert = database.insert
        self.outbox = OutboxStore(database, keyring)
        self.counters = CounterStore(database)

    async def record(
        self,
        kind: EventKind,
        *,
        at: dt.datetime,
        person: str | None = None,
        session: str | None = None,
        address: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Remember that something happened. The network address is kept as a keyed digest: enough to tell two apart."""
        network = None if address is None else self._keyring.blind_index.index("network", address)
        row = {"id": new_id(), "kind": kind, "at": at, "person": person, "session": session, "network": network, "detail": detail}
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(security_events).values(row))

    async def of_person(self, person: str, limit: int = 20) -> Sequence[SecurityEvent]:
        """Give a person's newest events."""
        statement = sa.select(security_events).where(security_events.c.person == person)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement.order_by(security_events.c.at.desc()).limit(limit))).all()
        return [SecurityEvent(EventKind(row.kind), row.at, row.person, row.session, row.network, row.detail) for row in rows]

    async def reset_unproven(self, person: str) -> bool:
        """Tell whether the password was reset by a code, and nobody has proven the person's second factor since."""
        told = security_events.c
        proof = (told.kind == EventKind.STEPPED_UP) | (told.kind == EventKind.SIGNED_IN) & told.detail.endswith(" mfa")
        statement = sa.select(told.kind).where(told.person == person, (told.kind == EventKind.RECOVERED) | proof)
        async with self._database.read() as connection:
            newest = (await connection.execute(statement.order_by(told.at.desc()).limit(1))).scalar_one_or_none()
        return newest == EventKind.RECOVERED

    async def remember_device(self, person: str, browser: str, now: dt.datetime) -> None:
        """Note that the person signed in from this browser: it will pass strangers' delays."""
        new = self._insert(known_devices).values(person=person, device=self._device(browser), seen_at=now)
        async with self._database.statement() as connection:
            await connection.execute(new.on_conflict_do_update(index_elements=["person", "device"], set_={"seen_at": now}))

    async def knows_device(self, persons: Sequence[str], browser: str | None) -> bool:
        """Tell whether one of these persons signed in from this browser before. Nobody costs the same look."""
        return bool(await self.known_at(persons, browser))

    async def known_at(self, persons: Sequence[str], browser: str | None) -> frozenset[str]:
        """Give those of these persons who signed in from this browser before. Nobody costs the same look."""
        statement = sa.select(known_devices.c.person).where(
            known_devices.c.person.in_(list(persons) or [""]), known_devices.c.device == self._device(browser or "")
        )
        async with self._database.read() as connection:
            return frozenset((await connection.execute(statement)).scalars())

    async def devices(self, person: str) -> Sequence[dt.datetime]:
        """Tell when each device that the person signed in from was last there, the newest first; nothing else is kept of them."""
        statement = sa.select(known_devices.c.seen_at).where(known_devices.c.person == person)
        async with self._database.read() as connection:
            return [*(await connection.execute(statement.order_by(known_devices.c.seen_at.desc()))).scalars()]

    async def forget_devices(self, person: str) -> None:
        """Make every device of a person a stranger (after a recovery)."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(known_devices).where(known_devices.c.person == person))

    async def erase(self, person: str) -> None:
        """Forget a person: devices, waiting messages, and whose the events were."""
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(known_devices).where(known_devices.c.person == person))
            await transaction.execute(sa.delete(outbox).where(outbox.c.person == person))
            mine = sa.update(security_events).where(security_events.c.person == person)
            await transaction.execute(mine.values(person=None, session=None, network=None))
            await transaction.commit()

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete what is older than a year, at most `limit` of each; return how many went."""
        gone = 0
        old_events = sa.select(security_events.c.id).where(security_events.c.at < now - KEEP_EVENTS).limit(limit)
        pairs = sa.tuple_(known_devices.c.person, known_devices.c.device)
        old_devices = sa.select(known_devices.c.person, known_devices.c.device).where(known_devices.c.seen_at < now - KEEP_DEVICES)
        async with self._database.transaction() as transaction:
            for statement in (
                sa.delete(security_events).where(security_events.c.id.in_(old_events)),
                sa.delete(known_devices).where(pairs.in_(old_devices.limit(limit))),
            ):
                gone += (await transaction.execute(statement)).rowcount  # type: ignore[union-attr]
            await transaction.commit()
        return gone

    def _device(self, browser: str) -> bytes:
        return self._keyring.blind_index.index("device", browser)

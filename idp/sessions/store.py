"""Where sessions rest. The cookie holds a random token; the row holds its keyed digest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.sessions.records import Participant, ServiceSession, Session, SessionRules, SignIn
from idp.sessions.tables import accounts, session_clients, sessions, sign_ins
from keys.opaque import new_id, new_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from keys.database import Database
    from keys.keyring import Keyring

TOUCH_EVERY = dt.timedelta(seconds=60)
"""A session in use is written at most so often."""

SIGN_IN_LIFETIME = dt.timedelta(minutes=10)
KEEP_ENDED = dt.timedelta(days=1)
LABEL = 60

_barred = sa.exists().where(accounts.c.person == sessions.c.person, accounts.c.state != "active").correlate(sessions)


class SessionStore:
    """The sessions of the idp store."""

    def __init__(self, database: Database, keyring: Keyring, rules: SessionRules | None = None) -> None:
        self._database = database
        self._digests = keyring.digests
        self._rules = rules or SessionRules()
        self._insert = database.insert

    # --- finding -----------------------------------------------------------------------------------------------------------------

    async def by_token(self, token: str, now: dt.datetime) -> Session | None:
        """Give the live session of a cookie, and note that the person is here, unless the session is `unattended`.

        None where nobody was for the idle time, though services that refresh keep the session for themselves, and where the account
        may not be used.
        """
        session = await self._one(sa.and_(sessions.c.digest == self._digest(token), ~_barred), now)
        if session is None or self._left(session, now):
            return None
        if not session.unattended and now - session.last_seen >= TOUCH_EVERY:
            await self.seen(session, now)
        return session

    async def get(self, session: str, now: dt.datetime) -> Session | None:
        """Give a live session by its id."""
        return await self._one(sessions.c.id == session, now)

    async def of_person(self, person: str, now: dt.datetime) -> Sequence[Session]:
        """Give a person's live sessions, the last used first."""
        statement = sa.select(sessions).where(sessions.c.person == person, *_live(now)).order_by(sessions.c.last_seen.desc())
        async with self._database.read() as connection:
            return [self._session(row, now) for row in await connection.execute(statement)]

    def _left(self, session: Session, now: dt.datetime) -> bool:
        idle = self._rules.remembered_idle if session.remembered else self._rules.idle
        return now - session.last_seen >= dt.timedelta(seconds=idle)

    async def _one(self, which: sa.ColumnElement[bool], now: dt.datetime) -> Session | None:
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(sessions).where(which, *_live(now)))).one_or_none()
        return None if row is None else self._session(row, now)

    def _session(self, row: Row[Any], now: dt.datetime) -> Session:
        names = ("id", "person", "auth_time", "acr", "created_at", "last_seen", "idle_until", "absolute_until", "remembered", "label")
        away = now - row.last_seen >= dt.timedelta(seconds=self._rules.confirm)
        return Session(**{name: getattr(row, name) for name in names}, amr=tuple(row.amr.split()), unattended=away and not row.remembered)

    # --- beginning and using -----------------------------------------------------------------------------------------------------

    async def start(
        self,
        *,
        person: str,
        acr: str,
        amr: Sequence[str],
        now: dt.datetime,
        auth_time: dt.datetime | None = None,
        remembered: bool = False,
        label: str = "",
        replaces: str | None = None,
    ) -> tuple[Session, str]:
        """Sign a person in; the token is new at every sign-in. `auth_time`: when the person proved who it is, if that was before now.

        `replaces`: the session this browser had. Of the same person it goes on (services keep their `sid`) under the new token;
        of another person it ends.
        """
        token = new_token()
        values = {
            "digest": self._digest(token), "person": person, "auth_time": auth_time or now, "acr": acr, "amr": " ".join(amr),
            "last_seen": now, "remembered": remembered, "label": label[:LABEL], **self._limits(now, remembered=remembered),
        }  # fmt: skip
        row = None
        async with self._database.transaction() as transaction:
            if replaces is not None:
                mine = sa.update(sessions).where(sessions.c.id == replaces, sessions.c.person == person, *_live(now))
                row = (await transaction.execute(mine.values(values).returning(sessions))).one_or_none()
                if row is None:
                    await transaction.execute(_end(sessions.c.id == replaces, now))
            if row is None:
                new = sa.insert(sessions).values(id=new_id(), created_at=now, **values).returning(sessions)
                row = (await transaction.execute(new)).one()
            await transaction.commit()
        return self._session(row, now), token

    async def raise_to(self, session: str, acr: str, amr: Sequence[str], now: dt.datetime) -> tuple[Session, str] | None:
        """Note a step-up; the token is new. None when the session ended meanwhile."""
        token = new_token()
        values = {"digest": self._digest(token), "acr": acr, "amr": " ".join(amr), "auth_time": now, "last_seen": now}
        statement = sa.update(sessions).where(sessions.c.id == session, *_live(now)).values(values).returning(sessions)
        async with self._database.statement() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else (self._session(row, now), token)

    async def seen(self, session: Session, now: dt.datetime) -> None:
        """Note that the person is here."""
        idle = self._limits(now, remembered=session.remembered)["idle_until"]
        statement = sa.update(sessions).where(sessions.c.id == session.id, sessions.c.ended_at.is_(None))
        async with self._database.statement() as connection:
            await connection.execute(statement.values(last_seen=now, idle_until=idle))

    async def touch(self, session: str, now: dt.datetime) -> None:
        """Note that a service in use refreshed its tokens: the session lives on, but nobody need be at the screen."""
        idle = sa.case(
            (sessions.c.remembered, sa.literal(self._limits(now, remembered=True)["idle_until"], sessions.c.idle_until.type)),
            else_=sa.literal(self._limits(now, remembered=False)["idle_until"], sessions.c.idle_until.type),
        )
        statement = sa.update(sessions).where(sessions.c.id == session, *_live(now)).values(idle_until=idle)
        async with self._database.statement() as connection:
            await connection.execute(statement)

    def _limits(self, now: dt.datetime, *, remembered: bool) -> dict[str, dt.datetime]:
        rules = self._rules
        idle, absolute = (rules.remembered_idle, rules.remembered_absolute) if remembered else (rules.idle, rules.absolute)
        return {"idle_until": now + dt.timedelta(seconds=idle), "absolute_until": now + dt.timedelta(seconds=absolute)}

    def _digest(self, token: str) -> bytes:
        return self._digests.digest("session", token)

    # --- ending ------------------------------------------------------------------------------------------------------------------

    async def end(self, session: str, now: dt.datetime) -> bool:
        """End a session; False when it was over already."""
        async with self._database.statement() as connection:
            return (await connection.execute(_end(sessions.c.id == session, now))).rowcount > 0

    async def end_all(self, person: str, now: dt.datetime, except_id: str | None = None) -> Sequence[str]:
        """End all of a person's sessions but one, and sign-ins that wait for a second factor; return the ids of those that ended."""
        which = (sessions.c.person == person) & (sessions.c.id != (except_id or ""))
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(sign_ins).where(sign_ins.c.person == person))
            ended = list((await transaction.execute(_end(which, now).returning(sessions.c.id))).scalars())
            await transaction.commit()
        return ended

    async def expired(self, now: dt.datetime, limit: int) -> Sequence[str]:
        """Give sessions whose time is over and whose end nobody noticed yet, at most `limit`."""
        statement = sa.select(sessions.c.id).where(_expired(now)).limit(limit)
        async with self._database.read() as connection:
            return list((await connection.execute(statement)).scalars())

    async def end_expired(self, which: Sequence[str], now: dt.datetime) -> Sequence[str]:
        """Note that these expired; return those that this call noted: one that another process noted is that one's to tell of."""
        statement = sa.update(sessions).where(sessions.c.id.in_(list(which)), _expired(now)).values(ended_at=now)
        async with self._database.statement() as connection:
            return list((await connection.execute(statement.returning(sessions.c.id))).scalars())

    async def erase(self, person: str) -> None:
        """Delete every trace of a person's sessions."""
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(sign_ins).where(sign_ins.c.person == person))
            await transaction.execute(sa.delete(sessions).where(sessions.c.person == person))
            await transaction.commit()

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete sessions that were noted as ended a day ago and sign-ins that were left, at most `limit` of each; return how many."""
        over = sessions.c.ended_at < now - KEEP_ENDED
        gone = 0
        async with self._database.transaction() as transaction:
            for table, which in ((sessions, over), (sign_ins, sign_ins.c.expires_at < now)):
                old = sa.select(table.c.id).where(which).limit(limit)
                gone += (await transaction.execute(sa.delete(table).where(table.c.id.in_(old)))).rowcount  # type: ignore[union-attr]
            await transaction.commit()
        return gone

    # --- services ----------------------------------------------------------------------------------------------------------------

    async def sid(self, session: str, client: str) -> str:
        """Give the id under which a service knows this session: random per (session, client), the same each time."""
        new = self._insert(session_clients).values(session=session, client=client, sid=new_id())
        # a change of nothing, so that the row that is there already is returned
        statement = new.on_conflict_do_update(index_elements=["session", "client"], set_={"client": client}).returning(
            session_clients.c.sid
        )
        async with self._database.statement() as connection:
            return str((await connection.execute(statement)).scalar_one())

    async def by_sid(self, sid: str) -> ServiceSession | None:
        """Find whose session a service means."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(session_clients).where(session_clients.c.sid == sid))).one_or_none()
        return None if row is None else ServiceSession(row.session, row.client, row.sid)

    async def clients_of(self, session: str) -> Sequence[str]:
        """Name the services a session was used at."""
        statement = sa.select(session_clients.c.client).where(session_clients.c.session == session).order_by(session_clients.c.client)
        async with self._database.read() as connection:
            return list((await connection.execute(statement)).scalars())

    async def participants(
        self, *, sessions_: Sequence[str] | None = None, person: str | None = None, client: str | None = None
    ) -> Sequence[Participant]:
        """Give the services that took part in these sessions, in all of a person, or one service in all living ones.

        Ended sessions are known for a day (`KEEP_ENDED`), so that whoever is told of an ending late still is.
        """
        joined = sa.select(session_clients, sessions.c.person).join(sessions, sessions.c.id == session_clients.c.session)
        for value, condition in (
            (sessions_, sessions.c.id.in_(list(sessions_ or ()))),
            (person, sessions.c.person == person),
            (client, (session_clients.c.client == client) & sessions.c.ended_at.is_(None)),
        ):
            joined = joined if value is None else joined.where(condition)
        async with self._database.read() as connection:
            rows = (await connection.execute(joined.order_by(session_clients.c.sid))).all()
        return [Participant(row.session, row.person, row.client, row.sid) for row in rows]

    # --- half-finished sign-ins --------------------------------------------------------------------------------------------------

    async def await_factor(self, sign_in: SignIn, browser: str, now: dt.datetime) -> str:
        """Keep a right password until its second factor comes; return the id."""
        row = {
            "id": new_id(), "browser": self._digests.digest("browser", browser), "person": sign_in.person, "amr": " ".join(sign_in.amr),
            "remembered": sign_in.remembered, "interaction": sign_in.interaction, "next": sign_in.next,
            "expires_at": now + SIGN_IN_LIFETIME,
        }  # fmt: skip
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(sign_ins).values(row))
        return str(row["id"])

    async def sign_in(self, sign_in: str, browser: str, now: dt.datetime) -> SignIn | None:
        """Give a half-finished sign-in to the browser that began it."""
        mine = (sign_ins.c.id == sign_in) & (sign_ins.c.browser == self._digests.digest("browser", browser))
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(sign_ins).where(mine, sign_ins.c.expires_at > now))).one_or_none()
        if row is None:
            return None
        return SignIn(row.id, row.person, tuple(row.amr.split()), row.remembered, row.interaction, row.next)

    async def finish_sign_in(self, sign_in: str) -> bool:
        """Use a half-finished sign-in up; False when another request did."""
        async with self._database.statement() as connection:
            statement = sa.delete(sign_ins).where(sign_ins.c.id == sign_in).returning(sign_ins.c.id)
            return (await connection.execute(statement)).first() is not None


def _live(now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return sessions.c.ended_at.is_(None), sessions.c.idle_until > now, sessions.c.absolute_until > now


def _expired(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sessions.c.ended_at.is_(None) & ((sessions.c.idle_until <= now) | (sessions.c.absolute_until <= now))


def _end(which: sa.ColumnElement[bool], now: dt.datetime) -> sa.Update:
    return sa.update(sessions).where(which, sessions.c.ended_at.is_(None)).values(ended_at=now)

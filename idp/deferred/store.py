"""Where deferred requests rest. Of their codes only keyed digests are stored."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.deferred.records import Answered, Begun, DeferredKind, DeferredRequest, Unanswered
from idp.deferred.tables import deferred_requests
from keys.opaque import new_id, new_token

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row

    from keys.database import Database
    from keys.keyring import Keyring

SLOWER = 5
"""RFC 8628 §3.5, slow_down: "the interval MUST be increased by 5 seconds for this and all subsequent requests"."""
KEEP = dt.timedelta(days=1)
"""How long a request is remembered after its time, so that a second use of its answer revokes what the first one got."""
TOLD = dt.timedelta(minutes=15)
"""How long after its time a request that gave nothing is remembered, so that whoever polls for it is told: anybody can begin one."""

_r = deferred_requests.c


class DeferredStore:
    """The deferred requests of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._digests = keyring.digests
        self._secrets = keyring.secrets
        self._insert = database.insert

    async def begin(
        self,
        kind: DeferredKind,
        client_id: str,
        parameters: Mapping[str, str],
        now: dt.datetime,
        *,
        lifetime: int,
        interval: int,
        person: str | None = None,
        user_code: str | None = None,
    ) -> Begun | None:
        """Keep a request until its citizen answers. Times in seconds. None when the user code is in use: draw another."""
        begun = Begun(new_id(), new_token())
        row = {
            "id": begun.id, "kind": kind.value, "client": client_id, "code": self._digest("code", begun.code), "person": person,
            "user_code": None if user_code is None else self._digest("user_code", user_code), "created_at": now,
            "request": self._secrets.seal("deferred", (begun.id,), json.dumps(dict(parameters)).encode()),
            "expires_at": now + dt.timedelta(seconds=lifetime), "interval": interval,
        }  # fmt: skip
        statement = self._insert(deferred_requests).values(row).on_conflict_do_nothing(index_elements=["user_code"]).returning(_r.id)
        async with self._database.statement() as connection:
            return begun if (await connection.execute(statement)).first() is not None else None

    async def by_user_code(self, user_code: str, now: dt.datetime) -> DeferredRequest | None:
        """Give the request that waits under this user code."""
        return await self._waiting(_r.user_code == self._digest("user_code", user_code), now)

    async def get(self, request: str, now: dt.datetime) -> DeferredRequest | None:
        """Give a request that waits."""
        return await self._waiting(_r.id == request, now)

    async def of_person(self, person: str, now: dt.datetime) -> Sequence[DeferredRequest]:
        """Give the requests that wait for this person, newest first."""
        query = sa.select(deferred_requests).where(_r.person == person, *_open(now)).order_by(_r.created_at.desc()).limit(20)
        async with self._database.read() as connection:
            return [self._request(row) for row in await connection.execute(query)]

    async def answer(self, request: str, authorization: str | None, now: dt.datetime) -> bool:
        """Write the citizen's answer down, once; None is "no". False when it was answered before, or came too late."""
        values = {"answered_at": now, "authorization": authorization, "user_code": None, "request": b""}
        statement = sa.update(deferred_requests).where(_r.id == request, *_open(now)).values(values).returning(_r.id)
        async with self._database.statement() as connection:
            return (await connection.execute(statement)).first() is not None

    async def redeem(self, kind: DeferredKind, code: str, client: str, now: dt.datetime) -> Answered | Unanswered:
        """Fetch the answer, once: one statement, so that one of many racing requests wins."""
        mine = (_r.code == self._digest("code", code)) & (_r.client == client) & (_r.kind == kind.value)
        won = mine & _r.authorization.is_not(None) & _r.redeemed_at.is_(None) & (_r.expires_at > now)
        statement = sa.update(deferred_requests).where(won).values(redeemed_at=now).returning(_r.authorization)
        async with self._database.statement() as connection:
            authorization = (await connection.execute(statement)).scalar_one_or_none()
        if authorization is not None:
            return Answered(authorization)
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(deferred_requests).where(mine))).one_or_none()
        return Unanswered.UNKNOWN if row is None else await self._why_not(row, now)

    async def redeemed(self, kind: DeferredKind, code: str, client: str) -> str | None:
        """Give the authorization of an answer that was fetched before."""
        mine = (_r.code == self._digest("code", code), _r.client == client, _r.kind == kind.value, _r.redeemed_at.is_not(None))
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(sa.select(_r.authorization).where(*mine))).scalar_one_or_none()
        return found

    async def erase(self, person: str) -> None:
        """Delete what waited for a person."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(deferred_requests).where(_r.person == person))

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` requests whose time is long over; return how many went."""
        over = sa.or_(_r.expires_at < now - KEEP, sa.and_(_r.redeemed_at.is_(None), _r.expires_at < now - TOLD))
        old = sa.select(_r.id).where(over).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(deferred_requests).where(_r.id.in_(old)))).rowcount

    async def _why_not(self, row: Row[Any], now: dt.datetime) -> Unanswered:
        if row.redeemed_at is not None:
            return Unanswered.REUSED
        if row.answered_at is not None and row.authorization is None:
            return Unanswered.DENIED
        if row.expires_at <= now:
            return Unanswered.EXPIRED
        fast = row.polled_at is not None and now - row.polled_at < dt.timedelta(seconds=row.interval)
        values: dict[str, Any] = {"polled_at": now} | ({"interval": _r.interval + SLOWER} if fast else {})
        async with self._database.statement() as connection:
            await connection.execute(sa.update(deferred_requests).where(_r.id == row.id).values(values))
        return Unanswered.TOO_FAST if fast else Unanswered.PENDING

    async def _waiting(self, which: sa.ColumnElement[bool], now: dt.datetime) -> DeferredRequest | None:
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(deferred_requests).where(which, *_open(now)))).one_or_none()
        return None if row is None else self._request(row)

    def _request(self, row: Row[Any]) -> DeferredRequest:
        parameters: dict[str, str] = json.loads(self._secrets.open("deferred", (row.id,), row.request))
        return DeferredRequest(row.id, DeferredKind(row.kind), row.client, parameters, row.person, row.created_at, row.expires_at)

    def _digest(self, what: str, value: str) -> bytes:
        digest: bytes = self._digests.digest(f"deferred_{what}", value)
        return digest


def _open(now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (_r.answered_at.is_(None), _r.expires_at > now)

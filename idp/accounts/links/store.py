"""Where links and attempts rest. An upstream's name for a person is personal: only a keyed digest of it is stored."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.accounts.links.records import Attempt, Link
from idp.accounts.tables import links, upstream_attempts
from keys.opaque import new_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.database import Database
    from keys.keyring import Keyring


class LinkStore:
    """The links of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._insert = database.insert

    async def begin(self, attempt: Attempt, browser: str, now: dt.datetime, *, lifetime: int) -> str:
        """Keep an attempt, sealed and bound to its browser; give the `state` that brings it back."""
        state = new_token()
        digest = self._digest("upstream_state", state)
        row = {
            "state": digest, "browser": self._digest("browser", browser), "expires_at": now + dt.timedelta(seconds=lifetime),
            "cell": self._keyring.secrets.seal("upstream", (digest.hex(),), json.dumps(dataclasses.asdict(attempt)).encode()),
        }  # fmt: skip
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(upstream_attempts).values(row))
        return state

    async def take(self, state: str, browser: str, now: dt.datetime) -> Attempt | None:
        """Give an attempt back to its browser, once: one statement, so that one of many racing answers counts."""
        digest, table = self._digest("upstream_state", state), upstream_attempts.c
        mine = (table.state == digest, table.browser == self._digest("browser", browser), table.expires_at > now)
        async with self._database.statement() as connection:
            cell = (await connection.execute(sa.delete(upstream_attempts).where(*mine).returning(table.cell))).scalar_one_or_none()
        if cell is None:
            return None
        return Attempt(**json.loads(self._keyring.secrets.open("upstream", (digest.hex(),), cell)))

    async def person_of(self, upstream: str, subject: str) -> str | None:
        """Give the account that is linked to this name at this upstream."""
        query = sa.select(links.c.person).where(links.c.upstream == upstream, links.c.subject == self._subject(upstream, subject))
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(query)).scalar_one_or_none()
        return found

    async def link(self, upstream: str, subject: str, person: str, now: dt.datetime) -> bool:
        """Link, once each way; False when this name, or this account, is linked to another already. Twice the same is fine."""
        row = {"upstream": upstream, "subject": self._subject(upstream, subject), "person": person, "linked_at": now}
        statement = self._insert(links).values(row).on_conflict_do_nothing().returning(links.c.person)
        async with self._database.statement() as connection:
            if (await connection.execute(statement)).first() is not None:
                return True
        return await self.person_of(upstream, subject) == person

    async def unlink(self, upstream: str, person: str) -> bool:
        """Take a link away; False when there was none."""
        statement = sa.delete(links).where(links.c.upstream == upstream, links.c.person == person).returning(links.c.upstream)
        async with self._database.statement() as connection:
            return (await connection.execute(statement)).first() is not None

    async def of_person(self, person: str) -> Sequence[Link]:
        """Give a person's links."""
        query = sa.select(links.c.upstream, links.c.person, links.c.linked_at).where(links.c.person == person).order_by(links.c.upstream)
        async with self._database.read() as connection:
            return [Link(*row) for row in await connection.execute(query)]

    async def erase(self, person: str) -> None:
        """Delete a person's links."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(links).where(links.c.person == person))

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` attempts that nobody came back from; return how many went."""
        old = sa.select(upstream_attempts.c.state).where(upstream_attempts.c.expires_at < now).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(upstream_attempts).where(upstream_attempts.c.state.in_(old)))).rowcount

    def _subject(self, upstream: str, subject: str) -> bytes:
        return self._digest("upstream_subject", f"{upstream}\0{subject}")

    def _digest(self, purpose: str, value: str) -> bytes:
        digest: bytes = self._keyring.digests.digest(purpose, value)
        return digest

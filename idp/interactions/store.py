"""Where running authorization requests rest."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.interactions.records import Closed, Interaction, Step
from idp.interactions.tables import interactions
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Row

    from keys.database import Database
    from keys.keyring import Keyring

_PASSED = {Step.LOGIN: "login_at", Step.SECOND_FACTOR: "second_factor_at", Step.APPROVE: "approved_at"}


class InteractionStore:
    """The running requests of the idp store. `browser` is everywhere the browser's random id, stored as a digest."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._digests = keyring.digests
        self._secrets = keyring.secrets

    async def begin(self, *, client_id: str, parameters: Mapping[str, str], browser: str, now: dt.datetime, lifetime: int) -> str:
        """Keep a request while its person signs in and decides; return the interaction's id."""
        interaction = new_id()
        row = {
            "id": interaction, "client": client_id, "browser": self._browser(browser), "created_at": now,
            "expires_at": now + dt.timedelta(seconds=lifetime),
            "request": self._secrets.seal("interaction", (interaction,), json.dumps(dict(parameters)).encode()),
        }  # fmt: skip
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(interactions).values(row))
        return interaction

    async def get(self, interaction: str, browser: str | None, now: dt.datetime) -> Interaction | Closed:
        """Give a running request to the browser that began it, else why not."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(interactions).where(interactions.c.id == interaction))).one_or_none()
        if row is None:
            return Closed.UNKNOWN
        if browser is None or row.browser != self._browser(browser):
            return Closed.FOREIGN
        if row.finished_at is not None:
            return Closed.FINISHED
        return Closed.EXPIRED if row.expires_at <= now else self._interaction(row)

    async def client_of(self, interaction: str) -> str | None:
        """Name the application that a request came from, also when it is over: the page that says so leads back there."""
        async with self._database.read() as connection:
            return (await connection.execute(sa.select(interactions.c.client).where(interactions.c.id == interaction))).scalar_one_or_none()

    async def passed(self, interaction: str, step: Step, now: dt.datetime) -> bool:
        """Note that a step is behind; False when the request is no longer running.

        Who signs in has answered no card yet: an answer of whoever sat there before is not theirs.
        """
        return await self._update(interaction, now, {_PASSED[step]: now} | ({"approved_at": None} if step is Step.LOGIN else {}))

    async def finish(self, interaction: str, now: dt.datetime) -> bool:
        """End the request, so that it is answered once; False when it was answered already, or expired.

        What was asked is emptied out: nothing needs it any more.
        """
        return await self._update(interaction, now, {"finished_at": now, "request": b""})

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` requests that expired a while ago; return how many went."""
        old = sa.select(interactions.c.id).where(interactions.c.expires_at < now).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(interactions).where(interactions.c.id.in_(old)))).rowcount

    async def _update(self, interaction: str, now: dt.datetime, values: dict[str, Any]) -> bool:
        running = (interactions.c.id == interaction) & interactions.c.finished_at.is_(None) & (interactions.c.expires_at > now)
        async with self._database.statement() as connection:
            statement = sa.update(interactions).where(running).values(values).returning(interactions.c.id)
            return (await connection.execute(statement)).first() is not None

    def _browser(self, browser: str) -> bytes:
        digest: bytes = self._digests.digest("browser", browser)
        return digest

    def _interaction(self, row: Row[Any]) -> Interaction:
        return Interaction(
            id=row.id,
            client_id=row.client,
            parameters=json.loads(self._secrets.open("interaction", (row.id,), row.request)),
            created_at=row.created_at,
            expires_at=row.expires_at,
            login_at=row.login_at,
            second_factor_at=row.second_factor_at,
            approved_at=row.approved_at,
        )

"""Where half-finished enrolments rest: one sealed cell per row, bound to the row and to the browser that began it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.accounts.drafts.records import Draft
from idp.accounts.tables import drafts
from keys.opaque import new_id

if TYPE_CHECKING:
    from keys.database import Database
    from keys.keyring import Keyring


class DraftStore:
    """Half-finished enrolments of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def begin(self, draft: Draft, browser: str, now: dt.datetime, *, lifetime: int) -> Draft:
        """Keep a new draft; its id is ours."""
        draft = replace(draft, id=new_id())
        row = {
            "id": draft.id,
            "browser": self._browser(browser),
            "cell": self._seal(draft),
            "created_at": now,
            "expires_at": now + dt.timedelta(seconds=lifetime),
        }
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(drafts).values(row))
        return draft

    async def get(self, draft: str, browser: str, now: dt.datetime) -> Draft | None:
        """Give a draft to the browser that began it."""
        statement = sa.select(drafts.c.cell).where(
            drafts.c.id == draft, drafts.c.browser == self._browser(browser), drafts.c.expires_at > now
        )
        async with self._database.read() as connection:
            cell = (await connection.execute(statement)).scalar_one_or_none()
        return None if cell is None else Draft(**json.loads(self._keyring.secrets.open("enrolment", (draft,), cell)))

    async def save(self, draft: Draft) -> None:
        """Keep what was added."""
        async with self._database.statement() as connection:
            await connection.execute(sa.update(drafts).where(drafts.c.id == draft.id).values(cell=self._seal(draft)))

    async def finish(self, draft: str) -> bool:
        """Drop a draft that became an account; False when another request finished it first."""
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(drafts).where(drafts.c.id == draft).returning(drafts.c.id))).first() is not None

    def _seal(self, draft: Draft) -> bytes:
        return self._keyring.secrets.seal("enrolment", (draft.id,), json.dumps(asdict(draft)).encode())

    def _browser(self, browser: str) -> bytes:
        return self._keyring.digests.digest("browser", browser)

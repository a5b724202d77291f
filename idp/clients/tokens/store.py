"""Where the tokens of registration rest: initial ones (who may register), and the one of each application that registered itself."""

from __future__ import annotations

import datetime as dt
import hmac
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.clients.tables import clients, initial_tokens
from idp.clients.tokens.records import InitialToken, Issued
from keys.opaque import new_id, new_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.database import Database
    from keys.keyring import Keyring

_NOBODY = b"\0" * 32
_SHOWN = tuple(initial_tokens.c[name] for name in ("id", "note", "remaining", "created_at", "expires_at"))


class RegistrationTokens:
    """The tokens of the idp store; none is stored itself."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._digests = keyring.digests

    async def issue(self, note: str, count: int, now: dt.datetime, expires_at: dt.datetime) -> Issued:
        """Make an initial access token for `count` registrations."""
        token, known = new_token(), InitialToken(new_id(), note, count, now, expires_at)
        row = {"digest": self._initial(token), **{column.name: getattr(known, column.name) for column in _SHOWN}}
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(initial_tokens).values(row))
        return Issued(known, token)

    async def list(self) -> Sequence[InitialToken]:
        """Give all that can still be used, or could until they expired; oldest first."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(*_SHOWN).order_by(initial_tokens.c.created_at))).all()
        return [InitialToken(*row) for row in rows]

    async def revoke(self, token_id: str) -> bool:
        """Take an initial access token back; False when there is none of this id."""
        async with self._database.statement() as connection:
            gone = await connection.execute(sa.delete(initial_tokens).where(initial_tokens.c.id == token_id).returning(initial_tokens.c.id))
            return gone.first() is not None

    async def usable(self, token: str, now: dt.datetime) -> bool:
        """Tell whether a token would let somebody register; nothing is used up."""
        async with self._database.read() as connection:
            return (await connection.execute(sa.select(initial_tokens.c.id).where(self._good(token, now)))).first() is not None

    async def use(self, token: str, now: dt.datetime) -> bool:
        """Use a token up once: one statement, so that of many racing registrations no more succeed than it allows."""
        statement = sa.update(initial_tokens).where(self._good(token, now)).values(remaining=initial_tokens.c.remaining - 1)
        async with self._database.statement() as connection:
            return (await connection.execute(statement.returning(initial_tokens.c.id))).first() is not None

    async def registered_at(self, client_id: str, token: str) -> dt.datetime | None:
        """Tell when an application registered itself, to whoever presents the token of its registration; None for anybody else."""
        query = sa.select(clients.c.registration_digest, clients.c.created_at).where(clients.c.id == client_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        known = row.registration_digest if row is not None and row.registration_digest is not None else _NOBODY
        right = hmac.compare_digest(self.registration_digest(client_id, token), known)
        found: dt.datetime | None = row.created_at if row is not None and right else None
        return found

    def registration_digest(self, client_id: str, token: str) -> bytes:
        """Give the keyed digest under which the token of a registration is stored, bound to its application."""
        digest: bytes = self._digests.digest("registration_access_token", f"{client_id}\x00{token}")
        return digest

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` initial access tokens that expired a month ago; return how many went."""
        old = sa.select(initial_tokens.c.id).where(initial_tokens.c.expires_at < now - dt.timedelta(days=30)).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(initial_tokens).where(initial_tokens.c.id.in_(old)))).rowcount

    def _good(self, token: str, now: dt.datetime) -> sa.ColumnElement[bool]:
        known = initial_tokens.c
        return (known.digest == self._initial(token)) & (known.remaining > 0) & (known.expires_at > now)

    def _initial(self, token: str) -> bytes:
        digest: bytes = self._digests.digest("initial_access_token", token)
        return digest

"""Where approvals, codes and refresh tokens rest. Of a code or token only a keyed digest is stored."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.authorizations import details, statements
from idp.authorizations.records import Authorization, CodeBinding, Redeemed, Rejected, Revoked, Rotated
from idp.authorizations.tables import authorizations, codes, refresh_tokens, revoked_tokens
from keys.grouped import Grouped
from keys.opaque import new_token, open_successor, seal_successor
from keys.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.sql.dml import ReturningUpdate

    from keys.database import Database
    from keys.keyring import Keyring

    _Asked = tuple[str, tuple[str, ...], dt.datetime]

KEEP_CONSUMED = dt.timedelta(days=1)
"""How long a used refresh token is remembered, so that a second use revokes. Later it is unknown, which yields nothing either."""


class AuthorizationStore:
    """The approvals of the idp store. `grace`: seconds in which a lost answer to a refresh can be asked for again."""

    def __init__(self, database: Database, keyring: Keyring, grace: int = 60) -> None:
        self._database = database
        self._digests = keyring.digests
        self._grace = dt.timedelta(seconds=grace)
        self._insert = database.insert
        self._add_refresh_token = self._insert(refresh_tokens).on_conflict_do_nothing(index_elements=["digest"])
        self._consume_code = _consuming(database, statements.consume_code)
        self._consume_refresh_token = _consuming(database, statements.consume_refresh_token)
        self._live = Prepared(database, statements.live(database))
        self._lives: Grouped[_Asked, Authorization] = Grouped(self._read_live)

    # --- approving ---------------------------------------------------------------------------------------------------------------

    async def record(self, authorization: Authorization) -> None:
        """Record an approval whose tokens are fetched without a code (RFC 8628, CIBA, RFC 8693)."""
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(authorizations).values(_row(authorization)))

    async def issue(self, authorization: Authorization, binding: CodeBinding, *, expires_at: dt.datetime) -> str:
        """Record an approval and give the code that stands for it."""
        code = new_token()
        code_row = {
            "digest": self._digest("code", code), "authorization": authorization.id, "client": binding.client,
            "redirect_uri": binding.redirect_uri, "code_challenge": binding.code_challenge, "nonce": binding.nonce,
            "dpop_jkt": binding.dpop_jkt, "expires_at": expires_at,
        }  # fmt: skip
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.insert(authorizations).values(_row(authorization)))
            await transaction.execute(sa.insert(codes).values(code_row))
            await transaction.commit()
        return code

    # --- codes -------------------------------------------------------------------------------------------------------------------

    async def redeem(
        self, code: str, client: str, now: dt.datetime, *, refreshable: bool = False, bound_to: str | None = None
    ) -> Redeemed | Rejected:
        """Use a code up: one statement, so that one of many racing requests wins.

        `refreshable`: make a refresh token with it; `bound_to`: the thumbprint of its holder.

        RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke
        (when possible) all tokens previously issued based on that authorization code."
        """
        presented, token = self._digest("code", code), new_token() if refreshable else None
        values = {
            "presented": presented, "by": client, "now": now, "next": self._digest("refresh", token) if token else None,
            "bound_to": bound_to,
        }  # fmt: skip
        row = await self._consume(self._consume_code, values)
        if row is None:
            return await self._rejected_code(presented, client, now)
        binding = CodeBinding(row.client, row.redirect_uri, row.code_challenge, row.nonce, row.dpop_jkt)
        return Redeemed(details.load(row.details), binding, token)

    async def _consume(self, statement: Prepared, values: Mapping[str, Any]) -> Any | None:  # noqa: ANN401 - a row
        """Use a code or refresh token up, and add the refresh token of the digest `next`, if any."""
        row = await statement.first(values)
        if row is not None and values["next"] is not None and self._database.dialect == "sqlite":
            async with self._database.statement() as connection:
                await self._add(connection, values["next"], row.authorization, row.client, values["now"], row.bound_to)
        return row

    async def _rejected_code(self, presented: bytes, client: str, now: dt.datetime) -> Rejected:
        async with self._database.read() as connection:
            row = (await connection.execute(statements.find_code, {"presented": presented, "now": now})).one_or_none()
        if row is None:
            return Rejected.UNKNOWN
        if row.client != client:
            return Rejected.FOREIGN
        if row.consumed_at is not None:
            await self.revoke(row.authorization, now)
            return Rejected.REUSED
        return Rejected.EXPIRED if row.expires_at <= now else Rejected.ENDED

    # --- refresh tokens ----------------------------------------------------------------------------------------------------------

    async def add_refresh_token(
        self, authorization: Authorization, now: dt.datetime, token: str | None = None, *, bound_to: str | None = None
    ) -> str:
        """Issue a refresh token, or store the one given; storing it twice is the same as once. `bound_to`: the thumbprint of its holder."""
        token = token or new_token()
        async with self._database.statement() as connection:
            await self._add(connection, self._digest("refresh", token), authorization.id, authorization.client, now, bound_to)
        return token

    async def _add(  # noqa: PLR0917 - a row, column by column
        self, connection: AsyncConnection, digest: bytes, authorization: str, client: str, now: dt.datetime, bound_to: str | None
    ) -> None:
        row = {"digest": digest, "authorization": authorization, "client": client, "issued_at": now, "bound_to": bound_to}
        await connection.execute(self._add_refresh_token, row)

    async def rotate(self, token: str, client: str, now: dt.datetime, *, held: frozenset[str] = frozenset()) -> Rotated | Rejected:
        """Use a refresh token up and give its successor; again within the grace, the same successor.

        RFC 9700 §4.14.2: "If a refresh token is compromised and subsequently used by both the attacker and the legitimate client, one of
        them will present an invalidated refresh token, which will inform the authorization server of the breach." All of it is revoked.
        `held`: thumbprints of what the sender proved to hold.
        """
        presented, successor = self._digest("refresh", token), new_token()
        values = {
            **_asked(presented, client, now, held), "sealed": seal_successor(token, successor),
            "next": self._digest("refresh", successor),
        }  # fmt: skip
        row = await self._consume(self._consume_refresh_token, values)
        if row is None:
            return await self._again(token, presented, client, now, held)
        return Rotated(details.load(row.details), successor, row.idle_until)

    async def keep(self, token: str, client: str, now: dt.datetime, *, held: frozenset[str] = frozenset()) -> Rotated | Rejected:
        """Use a refresh token that is not rotated: it stays the same until its authorization ends."""
        presented = self._digest("refresh", token)
        async with self._database.read() as connection:
            row = (await connection.execute(statements.keep_refresh_token, _asked(presented, client, now, held))).one_or_none()
        if row is None:
            return await self._again(token, presented, client, now, held)
        return Rotated(details.load(row.details), token, row.idle_until)

    async def _again(self, token: str, presented: bytes, client: str, now: dt.datetime, held: frozenset[str]) -> Rotated | Rejected:
        row = await self._find(presented, now)
        if row is None:
            return Rejected.UNKNOWN
        if row.client != client:
            return Rejected.FOREIGN
        if row.bound_to is not None and row.bound_to not in held:
            return Rejected.UNBOUND
        if row.consumed_at is None or not row.alive:
            return Rejected.ENDED
        if row.successor is None or row.successor_used or now - row.consumed_at >= self._grace:
            await self.revoke(row.authorization, now)
            return Rejected.REUSED
        authorization, successor = details.load(row.details), open_successor(token, row.successor)
        if self._database.dialect == "sqlite":  # the first request may have died before it stored it
            await self.add_refresh_token(authorization, now, successor, bound_to=row.bound_to)
        return Rotated(authorization, successor)

    async def _find(self, presented: bytes, now: dt.datetime) -> Row[Any] | None:
        async with self._database.read() as connection:
            return (await connection.execute(statements.find_refresh_token, {"presented": presented, "now": now})).one_or_none()

    async def by_refresh_token(self, token: str, now: dt.datetime) -> Authorization | None:
        """Give the authorization of a refresh token that could be used now, without using it."""
        row = await self._find(self._digest("refresh", token), now)
        return None if row is None or not row.alive or row.consumed_at is not None else details.load(row.details)

    async def owner_of_refresh_token(self, token: str, now: dt.datetime) -> tuple[str, str] | None:
        """Give (authorization, client) of a refresh token, used or not; None when it is unknown."""
        row = await self._find(self._digest("refresh", token), now)
        return None if row is None else (row.authorization, row.client)

    # --- whether it lives --------------------------------------------------------------------------------------------------------

    async def live(self, authorization: str, jti: str, now: dt.datetime, *, before: tuple[str, ...] = ()) -> Authorization | None:
        """Give an authorization if it is not revoked, its account active, its session (unless offline) alive and `jti` not revoked.

        `before`: the tokens that this one was exchanged from; it ends with each of them.
        """
        return await self._lives.get((authorization, (jti, *before), now))

    async def known(self, authorization: str) -> Authorization | None:
        """Give an authorization, whether it lives or ended; None when there is none, or none any more."""
        async with self._database.read() as connection:
            found = await connection.execute(sa.select(authorizations.c.details).where(authorizations.c.id == authorization))
            text = found.scalar_one_or_none()
        return None if text is None else details.load(text)

    async def _read_live(self, asked: Sequence[_Asked]) -> Mapping[_Asked, Authorization]:
        """Read several at once, as of the newest moment that was asked for."""
        ids, jtis, now = {one[0] for one in asked}, {jti for one in asked for jti in one[1]}, max(one[2] for one in asked)
        rows = await self._live.all({"ids": [*ids], "jtis": [*jtis], "now": now})
        revoked = {row.jti for row in rows}
        alive = {row.id: row.details for row in rows if row.id is not None}
        return {one: details.load(alive[one[0]]) for one in asked if one[0] in alive and revoked.isdisjoint(one[1])}

    async def token_revoked(self, jti: str) -> bool:
        """Say whether an access token was revoked by itself."""
        async with self._database.read() as connection:
            found = await connection.execute(sa.select(revoked_tokens.c.jti).where(revoked_tokens.c.jti == jti))
        return found.first() is not None

    async def of_person(self, person: str, now: dt.datetime) -> Sequence[Authorization]:
        """Give a person's authorizations that were not revoked and have not ended, newest first."""
        mine = (authorizations.c.person == person) & authorizations.c.revoked_at.is_(None) & (authorizations.c.ends_at > now)
        statement = sa.select(authorizations.c.details).where(mine).order_by(authorizations.c.created_at.desc())
        async with self._database.read() as connection:
            return [details.load(text) for text in (await connection.execute(statement)).scalars()]

    # --- revoking ----------------------------------------------------------------------------------------------------------------

    async def revoke(self, authorization: str, now: dt.datetime) -> Sequence[Revoked]:
        """End one authorization; every token that stands on it ends with it."""
        return await self._revoke(authorizations.c.id == authorization, now)

    async def revoke_by_session(self, session: str, now: dt.datetime) -> Sequence[Revoked]:
        """End what stands on a session; offline access goes on."""
        return await self._revoke(authorizations.c.session == session, now)

    async def revoke_by_grant(self, grant: str, now: dt.datetime) -> Sequence[Revoked]:
        """End what stands on a consent grant."""
        return await self._revoke(authorizations.c.grant == grant, now)

    async def revoke_by_person(self, person: str, now: dt.datetime) -> Sequence[Revoked]:
        """End everything of a person."""
        return await self._revoke(authorizations.c.person == person, now)

    async def revoke_by_client(self, client: str, now: dt.datetime) -> Sequence[Revoked]:
        """End everything of an application."""
        return await self._revoke(authorizations.c.client == client, now)

    async def _revoke(self, which: sa.ColumnElement[bool], now: dt.datetime) -> Sequence[Revoked]:
        statement = sa.update(authorizations).where(which, authorizations.c.revoked_at.is_(None)).values(revoked_at=now)
        async with self._database.statement() as connection:
            ended = [details.load(text) for text in (await connection.execute(statement.returning(authorizations.c.details))).scalars()]
        return [Revoked(each.id, each.client, each.person, each.sid) for each in ended]

    async def revoke_token(self, jti: str, expires_at: dt.datetime) -> None:
        """Revoke one access token until it would have expired."""
        statement = self._insert(revoked_tokens).values(jti=jti, expires_at=expires_at).on_conflict_do_nothing(index_elements=["jti"])
        async with self._database.statement() as connection:
            await connection.execute(statement)

    async def erase(self, person: str) -> None:
        """Delete every trace of a person's approvals."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(authorizations).where(authorizations.c.person == person))

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` of each kind of row that nothing can use any more, and successors past the grace; return how many."""
        used = refresh_tokens.c.consumed_at
        past = sa.select(refresh_tokens.c.digest).where(used < now - self._grace, refresh_tokens.c.successor.is_not(None)).limit(limit)
        bounded = (
            (authorizations, authorizations.c.id, authorizations.c.ends_at < now),
            (refresh_tokens, refresh_tokens.c.digest, used < now - KEEP_CONSUMED),
            (revoked_tokens, revoked_tokens.c.jti, revoked_tokens.c.expires_at < now),
        )
        gone = 0
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.update(refresh_tokens).where(refresh_tokens.c.digest.in_(past)).values(successor=None))
            for table, key, old in bounded:
                which = sa.select(key).where(old).limit(limit)
                gone += (await transaction.execute(sa.delete(table).where(key.in_(which)))).rowcount  # type: ignore[union-attr]
            await transaction.commit()
        return gone

    def _digest(self, purpose: str, value: str) -> bytes:
        digest: bytes = self._digests.digest(purpose, value)
        return digest


def _consuming(database: Database, statement: ReturningUpdate[Any]) -> Prepared:
    return Prepared(database, statements.with_successor(database, statement), changes=True)


def _row(authorization: Authorization) -> dict[str, Any]:
    columns = ("id", "grant", "client", "person", "session", "created_at", "ends_at")
    return {name: getattr(authorization, name) for name in columns} | {"details": details.dump(authorization)}


def _asked(presented: bytes, client: str, now: dt.datetime, held: frozenset[str]) -> dict[str, Any]:
    """Give what the use of a refresh token is decided by; who holds nothing matches no binding."""
    one, other = (*sorted(held), "", "")[:2]
    return {"presented": presented, "by": client, "now": now, "jkt": one, "x5t": other}

"""Where applications rest. Reads are cached for at most `CACHE_SECONDS`; changes made by this process are seen at once."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from idp.clients.logos.store import LogoStore
from idp.clients.records import Added, Agency, Client, Duplicate
from idp.clients.registered import columns, registered
from idp.clients.tables import agencies, clients, used_assertions
from idp.clients.tokens.store import RegistrationTokens
from idp.spec.redirect_uris import origin_of
from keys.opaque import new_id, new_token
from keys.prepared import Prepared

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from sqlalchemy import Row

    from idp.spec.client_metadata import ClientMetadata
    from keys.database import Database
    from keys.keyring import Keyring

CACHE_SECONDS = 30.0
_UNKNOWN_SECONDS = 2.0  # one that was just registered by another process must not be unknown for long
_MAX_CACHED = 4096  # unknown ids are remembered too, so strangers must not fill the memory
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post"})


class ClientStore:
    """The applications of the idp store. `monotonic` is the clock of the cache."""

    def __init__(self, database: Database, keyring: Keyring, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._digests = keyring.digests
        self._monotonic = monotonic
        self._cached: dict[str, tuple[float, Client | None]] = {}
        self._origins: tuple[float, frozenset[str], frozenset[str]] | None = None
        self._insert = database.insert
        once = self._insert(used_assertions).on_conflict_do_nothing(index_elements=["digest"])
        self._use_once = Prepared(database, once.returning(used_assertions.c.digest), changes=True)
        self.tokens = RegistrationTokens(database, keyring)
        self.logos = LogoStore(database)

    # --- finding -----------------------------------------------------------------------------------------------------------------

    async def get(self, client_id: str) -> Client | None:
        """Give an application, at most `CACHE_SECONDS` stale; None when there is none."""
        if not _ID.fullmatch(client_id):  # strangers choose what is asked for, and what is asked for is remembered
            return None
        now = self._monotonic()
        cached = self._cached.get(client_id)
        if cached is not None and cached[0] > now:
            return cached[1]
        client = await self._load(client_id)
        if len(self._cached) >= _MAX_CACHED:
            self._cached.clear()
        self._cached[client_id] = (now + (CACHE_SECONDS if client else _UNKNOWN_SECONDS), client)
        return client

    async def list(self) -> Sequence[Client]:
        """Give all applications by name."""
        async with self._database.read() as connection:
            return [_client(row) for row in await connection.execute(_select().order_by(clients.c.name, clients.c.id))]

    async def origins(self) -> frozenset[str]:
        """Give the origins from which public clients may call, at most `CACHE_SECONDS` stale."""
        return (await self._all_origins())[1]

    async def redirect_origins(self) -> frozenset[str]:
        """Give the web origins of all redirect URIs, at most `CACHE_SECONDS` stale."""
        return (await self._all_origins())[2]

    async def _all_origins(self) -> tuple[float, frozenset[str], frozenset[str]]:
        now = self._monotonic()
        if self._origins is None or self._origins[0] <= now:
            known = await self.list()
            calling = frozenset(origin for client in known for origin in client.origins)
            answered = frozenset(origin for client in known for uri in client.redirect_uris if (origin := origin_of(uri)))
            self._origins = (now + CACHE_SECONDS, calling, answered)
        return self._origins

    async def agency(self, code: str) -> Agency | None:
        """Give an agency."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(agencies).where(agencies.c.code == code))).one_or_none()
        return None if row is None else _agency(row)

    async def agencies(self) -> Sequence[Agency]:
        """Give all agencies by code."""
        async with self._database.read() as connection:
            return [_agency(row) for row in await connection.execute(sa.select(agencies).order_by(agencies.c.code))]

    async def _load(self, client_id: str) -> Client | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_select().where(clients.c.id == client_id))).one_or_none()
        return None if row is None else _client(row)

    # --- registering -------------------------------------------------------------------------------------------------------------

    async def put_agency(self, agency: Agency, now: dt.datetime) -> None:
        """Add an agency, or change its names and contacts."""
        values = {
            "name_id": agency.name["id"], "name_en": agency.name.get("en") or agency.name["id"],
            "unit": agency.unit, "dpo_contact": agency.dpo_contact,
        }  # fmt: skip
        statement = self._insert(agencies).values(code=agency.code, created_at=now, **values)
        async with self._database.statement() as connection:
            await connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=values))
        self.forget()

    async def add(
        self,
        metadata: ClientMetadata,
        agency: Agency,
        now: dt.datetime,
        *,
        secret: str | None = None,
        registration_token: str | None = None,
    ) -> Added | Duplicate:
        """Register an application of an agency that exists. `secret`: a given one (the demo's), else a random one is made.

        `registration_token`: it registers itself, and manages its registration with this token, of which a digest is kept.
        """
        client_id = metadata.client_id or new_id()
        secret = (secret or new_token()) if metadata.token_endpoint_auth_method in _SECRET_METHODS else None
        client = registered(client_id, metadata, agency, self_registered=registration_token is not None)
        statement = (
            self._insert(clients)
            .values(
                id=client_id, agency=agency.code, created_at=now, **columns(client),
                secret_digest=None if secret is None else self.secret_digest(client_id, secret),
                registration_digest=None if registration_token is None else self.tokens.registration_digest(client_id, registration_token),
            )
            .on_conflict_do_nothing(index_elements=["id"])
            .returning(clients.c.id)
        )  # fmt: skip
        async with self._database.statement() as connection:
            if (await connection.execute(statement)).first() is None:
                return Duplicate(client_id)
        self.forget()
        return Added(client if secret is None else replace(client, secret_digest=self.secret_digest(client_id, secret)), secret)

    async def change(self, client: Client, metadata: ClientMetadata, now: dt.datetime) -> Added | None:
        """Replace what an application registered; its id stays, and its secret too, unless its way of authenticating needs one or none.

        None when it is gone. The answer holds a secret only if a new one had to be made.
        """
        changed = replace(
            registered(client.id, metadata, client.agency, self_registered=client.self_registered), secret_digest=client.secret_digest
        )
        secret: str | None = None
        values: dict[str, object] = {}
        if changed.auth_method not in _SECRET_METHODS:
            changed, values = replace(changed, secret_digest=None), {"secret_digest": None}
        elif client.secret_digest is None:
            secret = new_token()
            changed = replace(changed, secret_digest=self.secret_digest(client.id, secret))
            values = {"secret_digest": changed.secret_digest, "secret_changed_at": now}
        statement = sa.update(clients).where(clients.c.id == client.id).values(**columns(changed), **values).returning(clients.c.id)
        async with self._database.statement() as connection:
            found = (await connection.execute(statement)).first()
        self.forget()
        return None if found is None else Added(changed, secret)

    async def rotate_secret(self, client_id: str, now: dt.datetime, *, secret: str | None = None) -> str | None:
        """Replace an application's secret and give the new one; None when it has none to replace."""
        fresh = secret or new_token()
        statement = (
            sa.update(clients)
            .where(clients.c.id == client_id, clients.c.secret_digest.is_not(None))
            .values(secret_digest=self.secret_digest(client_id, fresh), secret_changed_at=now)
            .returning(clients.c.id)
        )
        async with self._database.statement() as connection:
            changed = (await connection.execute(statement)).first()
        self.forget()
        return None if changed is None else fresh

    async def remove(self, client_id: str) -> bool:
        """Remove an application: from then on it is unknown, and its tokens with it. False when there was none."""
        async with self._database.statement() as connection:
            gone = (await connection.execute(sa.delete(clients).where(clients.c.id == client_id).returning(clients.c.id))).first()
        await self.logos.remove(client_id)
        self.forget()
        return gone is not None

    def forget(self) -> None:
        """Drop what is cached."""
        self._cached.clear()
        self._origins = None

    # --- proving -----------------------------------------------------------------------------------------------------------------

    def secret_digest(self, client_id: str, secret: str) -> bytes:
        """Give the keyed digest under which a secret is stored, bound to its application."""
        digest: bytes = self._digests.digest("client_secret", f"{client_id}\x00{secret}")
        return digest

    async def use_assertion(self, client_id: str, jti: str, expires_at: dt.datetime) -> bool:
        """Use a client assertion's jti up; False when it was used before (RFC 7523 §3 (7): "to prevent replay attacks")."""
        return await self._use("client_assertion", f"{client_id}\x00{jti}", expires_at)

    async def use_proof(self, jkt: str, jti: str, expires_at: dt.datetime) -> bool:
        """Use a DPoP proof's jti up; False when its key used it before (RFC 9449 §11.1: "each DPoP proof is only used once")."""
        return await self._use("dpop_proof", f"{jkt}\x00{jti}", expires_at)

    async def _use(self, kind: str, value: str, expires_at: dt.datetime) -> bool:
        """Note something as used, in one statement: of many that race, one is first."""
        row = {"digest": self._digests.digest(kind, value), "expires_at": expires_at}
        return await self._use_once.first(row) is not None

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` used assertions and proofs that have expired; return how many went."""
        old = sa.select(used_assertions.c.digest).where(used_assertions.c.expires_at < now).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(used_assertions).where(used_assertions.c.digest.in_(old)))).rowcount


def _select() -> sa.Select[Any]:
    return sa.select(clients, agencies.c.name_id, agencies.c.name_en, agencies.c.unit, agencies.c.dpo_contact).join(
        agencies, agencies.c.code == clients.c.agency
    )


def _agency(row: Row[Any]) -> Agency:
    return Agency(row.code, {"id": row.name_id, "en": row.name_en}, row.unit, row.dpo_contact)


def _client(row: Row[Any]) -> Client:
    kept: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(row.registration).items()
    }
    agency = Agency(row.agency, {"id": row.name_id, "en": row.name_en}, row.unit, row.dpo_contact)
    return Client(
        id=row.id, name=row.name, agency=agency, auth_method=row.auth_method, profile=row.profile, sector=row.sector,
        secret_digest=row.secret_digest, **kept,
    )  # fmt: skip

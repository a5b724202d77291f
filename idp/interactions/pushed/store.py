"""Where pushed requests rest. Of the request_uri only a keyed digest is stored."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from idp.interactions.tables import pushed_requests
from keys.database import Timestamp
from keys.opaque import new_token
from keys.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keys.database import Database
    from keys.keyring import Keyring

PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
_PURPOSE: Final = "pushed_request"


# SQLAlchemy compiles a statement once per object; built anew, each would cost more than the driver.
_mine = (pushed_requests.c.digest == sa.bindparam("presented")) & (pushed_requests.c.client == sa.bindparam("by"))
_unused = _mine & pushed_requests.c.consumed_at.is_(None)
_now = sa.bindparam("now", type_=Timestamp())
_INSERT: Final = sa.insert(pushed_requests)
_OPEN: Final = sa.select(pushed_requests.c.request).where(_unused, pushed_requests.c.expires_at > _now)
_CONSUME: Final = (
    sa.update(pushed_requests).where(_unused).values(consumed_at=_now, request=sa.literal(b"")).returning(pushed_requests.c.digest)
)


class PushedRequestStore:
    """The pushed requests of the idp store. `keep`: seconds in which somebody who opened one may still finish it."""

    def __init__(self, database: Database, keyring: Keyring, keep: int) -> None:
        self._database = database
        self._digests = keyring.digests
        self._secrets = keyring.secrets
        self._keep = dt.timedelta(seconds=keep)
        self._keep_one = Prepared(database, _INSERT, changes=True)

    async def push(self, client: str, parameters: Mapping[str, str], expires_at: dt.datetime) -> str:
        """Keep a request and give the request_uri that stands for it.

        RFC 9126 §2.2: it "MUST be bound to the client that posted the authorization request", and hold "a cryptographically strong
        pseudorandom" part.
        """
        uri = PREFIX + new_token()
        digest = self._digest(uri)
        row = {
            "digest": digest, "client": client, "expires_at": expires_at, "keep_until": expires_at + self._keep,
            "request": self._secrets.seal(_PURPOSE, (digest.hex(),), json.dumps(dict(parameters)).encode()),
        }  # fmt: skip
        await self._keep_one.all(row)
        return uri

    async def open(self, uri: str, client: str, now: dt.datetime) -> dict[str, str] | None:
        """Give what a client pushed; None when it was another client, when it has expired, or was answered. Opening uses nothing up."""
        digest = self._digest(uri)
        async with self._database.read() as connection:
            sealed = (await connection.execute(_OPEN, {"presented": digest, "by": client, "now": now})).scalar_one_or_none()
        if sealed is None:
            return None
        found: dict[str, str] = json.loads(self._secrets.open(_PURPOSE, (digest.hex(),), sealed))
        return found

    async def consume(self, uri: str, client: str, now: dt.datetime) -> bool:
        """Use a request up, for the answer that is given now; False when it was before. What was asked is emptied out.

        RFC 9126 §4: "the authorization server SHOULD treat request_uri values as one-time use". Whether it has expired since it was
        opened does not matter: people may take longer to sign in than an application to send them.
        """
        async with self._database.statement() as connection:
            used = await connection.execute(_CONSUME, {"presented": self._digest(uri), "by": client, "now": now})
            return used.first() is not None

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` requests that nobody can finish any more; return how many went."""
        old = sa.select(pushed_requests.c.digest).where(pushed_requests.c.keep_until < now).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(pushed_requests).where(pushed_requests.c.digest.in_(old)))).rowcount

    def _digest(self, uri: str) -> bytes:
        digest: Any = self._digests.digest(_PURPOSE, uri)
        return bytes(digest)

"""Where passkeys and challenges rest. A challenge is taken, and a counter moved, by one statement each, whoever races."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from idp.accounts.passkeys.records import LABELS, MOST, Passkey, label_claim
from idp.accounts.tables import accounts, cells, passkey_challenges, passkeys
from keys.opaque import new_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from keys.database import Database
    from keys.keyring import Keyring

Added = Literal["added", "known", "most"]
CHALLENGE_LIFETIME = dt.timedelta(minutes=10)


class PasskeyStore:
    """The passkeys of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._digests = keyring.digests
        self._insert = database.insert

    # --- challenges --------------------------------------------------------------------------------------------------------------

    async def challenge(self, purpose: str, browser: str, now: dt.datetime) -> str:
        """Give a challenge (base64url) for one purpose in one browser. WebAuthn §13.4.3: random, and ours."""
        made = new_token()
        row = {
            "digest": self._digests.digest("passkey-challenge", made), "browser": self._digests.digest("browser", browser),
            "purpose": self._digests.digest("passkey-purpose", purpose), "expires_at": now + CHALLENGE_LIFETIME,
        }  # fmt: skip
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(passkey_challenges).values(row))
        return made

    async def take(self, challenge: str, purpose: str, browser: str, now: dt.datetime) -> bool:
        """Use a challenge up; False when it is none of ours, was used, is too old, or was given for something or somebody else."""
        table = passkey_challenges.c
        mine = (
            table.digest == self._digests.digest("passkey-challenge", challenge),
            table.browser == self._digests.digest("browser", browser),
            table.purpose == self._digests.digest("passkey-purpose", purpose),
            table.expires_at > now,
        )
        async with self._database.statement() as connection:
            taken = await connection.execute(sa.delete(passkey_challenges).where(*mine).returning(table.digest))
            return taken.first() is not None

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` challenges that nobody answered in time; return how many went."""
        old = sa.select(passkey_challenges.c.digest).where(passkey_challenges.c.expires_at < now).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(passkey_challenges).where(passkey_challenges.c.digest.in_(old)))).rowcount

    # --- passkeys ----------------------------------------------------------------------------------------------------------------

    async def add(self, passkey: Passkey) -> Added:
        """Keep a new passkey. WebAuthn §7.1 step 26: "known" when the credential is somebody's already.

        "most" when the person has so many as are allowed: they are counted while the person's account is locked, whoever races.
        """
        row = {
            "id": passkey.id, "person": passkey.person, "credential": passkey.credential, "public_key": passkey.public_key,
            "sign_count": passkey.sign_count, "synced": passkey.synced, "transports": " ".join(passkey.transports),
            "created_at": passkey.created_at, "last_used_at": None,
        }  # fmt: skip
        new = self._insert(passkeys).values(row).on_conflict_do_nothing(index_elements=["credential"]).returning(passkeys.c.id)
        owner = sa.select(accounts.c.person).where(accounts.c.person == passkey.person).with_for_update()
        have = sa.select(sa.func.count()).where(passkeys.c.person == passkey.person)
        async with self._database.transaction() as transaction:
            await transaction.execute(owner)  # SQLite has one writer anyway
            if (await transaction.execute(have)).scalar_one() >= MOST:
                return "most"
            added = (await transaction.execute(new)).first() is not None
            await transaction.commit()
        return "added" if added else "known"

    async def find(self, credential: bytes) -> Passkey | None:
        """Give the passkey that a device names."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(passkeys).where(passkeys.c.credential == credential))).one_or_none()
        return None if row is None else _passkey(row)

    async def of_person(self, person: str) -> Sequence[Passkey]:
        """Give a person's passkeys, the oldest first."""
        statement = sa.select(passkeys).where(passkeys.c.person == person).order_by(passkeys.c.created_at, passkeys.c.id)
        async with self._database.read() as connection:
            return [_passkey(row) for row in await connection.execute(statement)]

    async def used(self, passkey: str, sign_count: int, now: dt.datetime) -> bool:
        """Note a use; False when the counter did not grow, or the passkey was removed meanwhile.

        WebAuthn §6.1.1, §7.2 step 22: a counter that is "less than or equal to" the stored one is "a signal, but not proof, that the
        authenticator may be cloned". Authenticators without a counter always say 0.
        """
        grown = passkeys.c.sign_count < sign_count if sign_count else passkeys.c.sign_count == 0
        noted = sa.update(passkeys).where(passkeys.c.id == passkey, grown).values(sign_count=sign_count, last_used_at=now)
        async with self._database.statement() as connection:
            return (await connection.execute(noted.returning(passkeys.c.id))).first() is not None

    async def remove(self, person: str, passkey: str) -> bool:
        """Forget one passkey of this person, and its name; False when there is none such."""
        async with self._database.transaction() as transaction:
            mine = (passkeys.c.person == person) & (passkeys.c.id == passkey)
            gone = (await transaction.execute(sa.delete(passkeys).where(mine).returning(passkeys.c.id))).first()
            named = (cells.c.person == person) & (cells.c.claim == label_claim(passkey))
            await transaction.execute(sa.delete(cells).where(named))
            await transaction.commit()
        return gone is not None

    async def remove_all(self, person: str) -> None:
        """Forget every passkey of a person, and their names."""
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(passkeys).where(passkeys.c.person == person))
            await transaction.execute(sa.delete(cells).where(cells.c.person == person, cells.c.claim.startswith(LABELS)))
            await transaction.commit()


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        row.id, row.person, row.credential, row.public_key, row.sign_count, row.synced,
        tuple(row.transports.split()), row.created_at, row.last_used_at,
    )  # fmt: skip

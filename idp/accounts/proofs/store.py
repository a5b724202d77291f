"""Where one-time codes rest."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.accounts.proofs.records import ATTEMPTS, DIGITS, SLIP_ATTEMPTS, NotProven, Proof, Proven, Purpose
from idp.accounts.tables import proofs
from keys.database import Timestamp
from keys.opaque import new_code, new_id

if TYPE_CHECKING:
    from keys.database import Database
    from keys.keyring import Keyring


class ProofStore:
    """One-time codes of the idp store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def issue(self, purpose: Purpose, subject: str | None, now: dt.datetime, *, lifetime: int, browser: str | None = None) -> Proof:
        """Make a code that lives `lifetime` seconds. Without a subject it is a decoy: the same row, which nothing ever matches."""
        proof = Proof(new_id(), new_code(DIGITS[purpose]), now + dt.timedelta(seconds=lifetime))
        row = {
            "id": proof.id,
            "purpose": purpose,
            "subject": subject,
            "browser": self._browser(browser),
            "digest": self._digest(proof.id if purpose is not Purpose.SLIP else "", proof.code),
            "attempts": 0,
            "created_at": now,
            "expires_at": proof.expires_at,
        }
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(proofs).values(row))
        return proof

    async def use(self, purpose: Purpose, proof: str, code: str, now: dt.datetime, *, browser: str | None = None) -> Proven | NotProven:
        """Try a code. One statement counts the try and, when the code is right, uses it up; whoever races sees it used."""
        right = (proofs.c.digest == self._digest(proof, _digits(code))) & proofs.c.subject.is_not(None)
        statement = (
            sa.update(proofs)
            .where(proofs.c.id == proof, proofs.c.purpose == purpose, *self._open(now))
            .where(proofs.c.browser.is_(None) if browser is None else proofs.c.browser == self._browser(browser))
            .values(attempts=proofs.c.attempts + 1, consumed_at=sa.case((right, sa.literal(now, Timestamp)), else_=None))
            .returning(proofs.c.subject, proofs.c.consumed_at)
        )
        async with self._database.statement() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return Proven(row.subject) if row is not None and row.consumed_at is not None else NotProven()

    async def use_slip(self, person: str | None, code: str, now: dt.datetime) -> Proven | NotProven:
        """Try a printed slip of this person; None costs the same. A wrong try counts against every open slip of theirs."""
        right = proofs.c.digest == self._digest("", _digits(code))
        statement = (
            sa.update(proofs)
            .where(proofs.c.subject == (person or ""), proofs.c.purpose == Purpose.SLIP, *self._open(now, SLIP_ATTEMPTS))
            .values(attempts=proofs.c.attempts + 1, consumed_at=sa.case((right, sa.literal(now, Timestamp)), else_=None))
            .returning(proofs.c.subject, proofs.c.consumed_at)
        )
        async with self._database.statement() as connection:
            rows = (await connection.execute(statement)).all()
        return next((Proven(row.subject) for row in rows if row.consumed_at is not None), NotProven())

    async def cancel(self, subject: str) -> None:
        """Make every open code of a subject worthless (a password was changed, a slip was replaced)."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(proofs).where(proofs.c.subject == subject, proofs.c.consumed_at.is_(None)))

    def _open(self, now: dt.datetime, attempts: int = ATTEMPTS) -> tuple[sa.ColumnElement[bool], ...]:
        return proofs.c.consumed_at.is_(None), proofs.c.expires_at > now, proofs.c.attempts < attempts

    def _digest(self, proof: str, code: str) -> bytes:
        return self._keyring.digests.digest("proof", f"{proof}:{code}")

    def _browser(self, browser: str | None) -> bytes | None:
        return None if browser is None else self._keyring.digests.digest("browser", browser)


def _digits(code: str) -> str:
    return "".join(c for c in code if c.isascii() and c.isdigit())

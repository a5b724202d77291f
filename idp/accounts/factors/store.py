"""Where second factors rest and how a code is used up: by one statement, whoever races."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyotp
import sqlalchemy as sa
from pyotp.exceptions import OTPVerificationError

from idp.accounts.factors.records import CARD_CODES, CODE_DIGITS, DISABLE_AFTER, CodeCard, Outcome
from idp.accounts.tables import card_codes, cards, totp
from keys.database import Timestamp
from keys.errors import SealBroken
from keys.opaque import new_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keys.database import Database
    from keys.keyring import Keyring

WINDOW = 1
"""Steps of 30 s accepted on either side (RFC 6238 §5.2: "at most one time step is allowed as the network delay")."""

_TOTP_DIGITS = 6


class FactorStore:
    """Second factors of the idp store."""

    def __init__(self, database: Database, keyring: Keyring, disable_after: int = DISABLE_AFTER) -> None:
        self._database = database
        self._keyring = keyring
        self._disable_after = disable_after

    # --- authenticator application -----------------------------------------------------------------------------------------------

    async def propose_totp(self, person: str, now: dt.datetime, seed: str | None = None, *, session: str = "") -> str:
        """Give the seed to be enrolled (base32), the same until it is confirmed: a reload must not void a scanned QR code.

        It is the session's that asks: what another session was shown may have been shown to a thief.
        """
        pending = await self._pending(person, session)
        if pending is not None and seed is None:
            return pending
        seed = seed or pyotp.random_base32()
        sealed = self._seal((person, session), seed)
        row = {"person": person, "stage": "pending", "seed": sealed, "last_step": 0, "failures": 0, "created_at": now}
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(totp).where(totp.c.person == person, totp.c.stage == "pending"))
            await transaction.execute(sa.insert(totp).values(row))
            await transaction.commit()
        return seed

    async def confirm_totp(self, person: str, code: str, now: dt.datetime, *, session: str = "") -> Outcome:
        """Make the seed that was proposed to this session the person's factor, in place of an older one, when the code comes from it."""
        seed = await self._pending(person, session)
        if seed is None:
            return Outcome.DISABLED
        step = _step(seed, code, now)
        if step is None:
            return Outcome.WRONG
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(totp).where(totp.c.person == person, totp.c.stage == "active"))
            active = {"stage": "active", "seed": self._seal((person,), seed), "last_step": step}
            made = await transaction.execute(sa.update(totp).where(totp.c.person == person, totp.c.stage == "pending").values(active))
            await transaction.commit()
        return Outcome.PASSED if made.rowcount else Outcome.USED  # type: ignore[union-attr]

    async def use_totp(self, person: str, code: str, now: dt.datetime) -> Outcome:
        """Check a code and use its time step up. RFC 6238 §5.2: "The verifier MUST NOT accept the second attempt of the OTP"."""
        cell = await self._cell(person, "active")
        if cell is None:
            return Outcome.DISABLED
        step = _step(self._open((person,), cell), code, now)
        active = (totp.c.person == person) & (totp.c.stage == "active") & totp.c.disabled_at.is_(None)
        if step is None:
            failed = _failed(totp, active, now, self._disable_after)
            async with self._database.statement() as connection:
                await connection.execute(failed)
            return Outcome.WRONG
        used = sa.update(totp).where(active, totp.c.last_step < step).values(last_step=step, failures=0).returning(totp.c.person)
        async with self._database.statement() as connection:
            return Outcome.PASSED if (await connection.execute(used)).first() else Outcome.USED

    async def any_disabled(self, person: str) -> bool:
        """Tell whether a factor was disabled by failures: such an account must recover, not go on with less."""
        app = sa.select(totp.c.person).where(totp.c.person == person, totp.c.disabled_at.is_not(None))
        card = sa.select(cards.c.person).where(cards.c.person == person, cards.c.disabled_at.is_not(None))
        async with self._database.read() as connection:
            return (await connection.execute(sa.union_all(app, card))).first() is not None

    async def totp_since(self, person: str) -> dt.datetime | None:
        """Tell since when there is an authenticator application; None without one."""
        mine = (totp.c.person == person) & (totp.c.stage == "active")
        async with self._database.read() as connection:
            since: dt.datetime | None = (await connection.execute(sa.select(totp.c.created_at).where(mine))).scalar_one_or_none()
        return since

    async def remove_totp(self, person: str) -> None:
        """Forget the authenticator application."""
        async with self._database.statement() as connection:
            await connection.execute(sa.delete(totp).where(totp.c.person == person))

    async def _pending(self, person: str, session: str) -> str | None:
        cell = await self._cell(person, "pending")
        try:
            return None if cell is None else self._open((person, session), cell)
        except SealBroken:
            return None

    async def _cell(self, person: str, stage: str) -> bytes | None:
        statement = sa.select(totp.c.seed).where(totp.c.person == person, totp.c.stage == stage, totp.c.disabled_at.is_(None))
        async with self._database.read() as connection:
            cell: bytes | None = (await connection.execute(statement)).scalar_one_or_none()
        return cell

    def _open(self, binding: tuple[str, ...], cell: bytes) -> str:
        return self._keyring.secrets.open("totp", binding, cell).decode()

    def _seal(self, binding: tuple[str, ...], seed: str) -> bytes:
        return self._keyring.secrets.seal("totp", binding, seed.encode())

    # --- printed card ------------------------------------------------------------------------------------------------------------

    async def print_card(self, person: str, now: dt.datetime) -> Sequence[str]:
        """Make a new card in place of an older one and give its codes, this once."""
        codes: list[str] = []
        while len(codes) < CARD_CODES:
            code = new_code(CODE_DIGITS)
            if code not in codes:
                codes.append(code)
        rows = [{"person": person, "place": n, "digest": self._digest(person, code)} for n, code in enumerate(codes, 1)]
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(card_codes).where(card_codes.c.person == person))
            await transaction.execute(sa.delete(cards).where(cards.c.person == person))
            await transaction.execute(sa.insert(cards).values(person=person, failures=0, created_at=now))
            await transaction.execute(sa.insert(card_codes), rows)
            await transaction.commit()
        return codes

    async def use_card(self, person: str, code: str, now: dt.datetime) -> Outcome:
        """Use one code of the card up."""
        if await self._disabled_card(person):
            return Outcome.DISABLED
        digest = self._digest(person, "".join(c for c in code if c.isdigit()))
        mine = (card_codes.c.person == person) & (card_codes.c.digest == digest)
        statement = sa.update(card_codes).where(mine, card_codes.c.used_at.is_(None)).values(used_at=now).returning(card_codes.c.place)
        async with self._database.transaction() as transaction:
            if (await transaction.execute(statement)).first():
                await transaction.execute(sa.update(cards).where(cards.c.person == person).values(failures=0))
                outcome = Outcome.PASSED
            elif (await transaction.execute(sa.select(card_codes.c.place).where(mine))).first():
                outcome = Outcome.USED
            else:
                await transaction.execute(
                    _failed(cards, (cards.c.person == person) & cards.c.disabled_at.is_(None), now, self._disable_after)
                )
                outcome = Outcome.WRONG
            await transaction.commit()
        return outcome

    async def card(self, person: str) -> CodeCard | None:
        """Describe the person's card."""
        left = sa.select(sa.func.count()).where(card_codes.c.person == person, card_codes.c.used_at.is_(None)).scalar_subquery()
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(cards, left.label("left")).where(cards.c.person == person))).one_or_none()
        return None if row is None else CodeCard(row.created_at, row.left, row.disabled_at is not None)

    async def remove_card(self, person: str) -> None:
        """Make the card worthless."""
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(card_codes).where(card_codes.c.person == person))
            await transaction.execute(sa.delete(cards).where(cards.c.person == person))
            await transaction.commit()

    async def _disabled_card(self, person: str) -> bool:
        card = await self.card(person)
        return card is None or card.disabled

    def _digest(self, person: str, code: str) -> bytes:
        return self._keyring.digests.digest("code-card", f"{person}:{code}")


def _failed(table: sa.Table, mine: sa.ColumnElement[bool], now: dt.datetime, most: int) -> sa.Update:
    """Count a failure; the last that is allowed disables the factor."""
    last = table.c.failures + 1 >= most
    return (
        sa.update(table)
        .where(mine)
        .values(failures=table.c.failures + 1, disabled_at=sa.case((last, sa.literal(now, Timestamp)), else_=None))
    )


def _step(seed: str, code: str, now: dt.datetime) -> int | None:
    """Give the time step a code belongs to, or None. Codes are compared in constant time by pyotp."""
    digits = "".join(code.split())
    if len(digits) != _TOTP_DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return pyotp.TOTP(seed).verify_and_get_timecode(digits, for_time=now.astimezone(dt.UTC), valid_window=WINDOW)
    except OTPVerificationError:
        return None

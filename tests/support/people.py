"""Accounts, sessions and events over given stores, with cheap keys and a clock that tests move."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from idp.accounts.records import Account, Source, Value
from idp.accounts.store import AccountStore
from idp.events.store import EventStore
from idp.sessions.store import SessionStore
from keys.custody import RootKeys
from keys.keyring import Keyring, KeyringOptions
from keys.passwords import PasswordCost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName

NOON = dt.datetime(2026, 11, 24, 4, 0, tzinfo=dt.UTC)
CHEAP = KeyringOptions(password_cost=PasswordCost(memory=64, time=1), algorithms=("ES256",), cache_seconds=0.0)
ROOT = RootKeys.from_environment("A" * 43)


@dataclass(slots=True)
class Clock:
    """A clock that stands until it is moved."""

    now: dt.datetime = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, **by: float) -> dt.datetime:
        """Move on by hours=, minutes=, seconds=, days=."""
        self.now += dt.timedelta(**by)
        return self.now


@dataclass(slots=True)
class People:
    """The stores of people, with short ways to fill them."""

    keyring: Keyring
    accounts: AccountStore
    sessions: SessionStore
    events: EventStore
    clock: Clock = field(default_factory=Clock)

    async def citizen(self, **claims: str) -> Account:
        """Make an account with verified values; `name` and an e-mail address unless told otherwise."""
        claims = {"name": "Siti", "email": "siti@contoh.id"} | claims
        values = [Value(claim, value, Source.VERIFIED, "test", "given") for claim, value in claims.items() if value]
        made = await self.accounts.create(values=values, now=self.clock())
        assert isinstance(made, Account)
        return made


@contextlib.asynccontextmanager
async def people(stores: dict[StoreName, Database]) -> AsyncIterator[People]:
    """Open the stores of people."""
    keyring = await Keyring.open(stores["keys"], ROOT, CHEAP)
    idp = stores["idp"]
    yield People(keyring, AccountStore(idp, keyring), SessionStore(idp, keyring), EventStore(idp, keyring))
    await keyring.close()

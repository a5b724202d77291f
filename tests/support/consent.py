"""The consent package with real parts, for tests that need no provider around it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consent.records import Asking, Card, SealedValue
from consent.service import Consent, ConsentOptions
from keys.custody import RootKeys
from keys.keyring import Keyring, KeyringOptions
from keys.opaque import new_id
from keys.sealing import Binding
from keys.sealing.seal import seal_cell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consent.records import Purpose
    from keys.database import Database, StoreName

DEMO = Path(__file__).parents[2] / "idp" / "demo" / "purposes"
ROOT = "1 " + "A" * 43


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = dt.datetime.now(dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += dt.timedelta(**by)


@dataclasses.dataclass(frozen=True)
class House:
    """An open consent service, its keys and its clock."""

    consent: Consent
    keyring: Keyring
    clock: Clock

    async def purpose(self, name: str = "aduan") -> Purpose:
        return await self.consent.purposes.add((DEMO / f"{name}.toml").read_text(encoding="utf-8"))

    async def settled(self) -> None:
        """Wait until nothing is queued for the log, whoever writes it."""
        for _ in range(500):
            await self.consent.ledger.flush_queue()
            if not await self.consent.ledger.queued():
                return
            await asyncio.sleep(0.02)
        pytest.fail("the queue is not written")

    async def person(self) -> str:
        person = new_id()
        await self.keyring.subject_keys.create(person)
        return person

    async def sealed(self, person: str, claim: str, value: str) -> SealedValue:
        binding = Binding("account_cells", "cell", claim, person)
        key = await self.keyring.subject_keys.data_key(person)
        return SealedValue(person, claim, seal_cell(key, binding, value.encode()), binding, "asserted")


def asking(person: str) -> Asking:
    """Somebody at the door of the complaints application."""
    return Asking(person=person, client="aduan-app", client_name="Aduan Warga", acr="aal1", contact="dpo@diskominfo.example")


def card(*offered: str) -> Card:
    """A card that was shown."""
    return Card(template="consent/1", language="id", text_hash="ab" * 32, offered=frozenset(offered))


@contextlib.asynccontextmanager
async def house(stores: dict[StoreName, Database], *, started: bool = True) -> AsyncIterator[House]:
    """Open the consent service on these stores."""
    clock = Clock()
    keyring = await Keyring.open(stores["keys"], RootKeys.from_environment(ROOT), KeyringOptions(algorithms=("ES256",)))
    options = ConsentOptions(issuer="http://localhost:8000", operator_name="Kota Balikpapan", dpo_contact="dpo@kota.example", clock=clock)
    consent = Consent.open(stores["consent"], keyring, options)
    if started:
        await consent.start()
    yield House(consent, keyring, clock)
    await consent.stop()
    await keyring.close()

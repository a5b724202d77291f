"""The access log on both databases: what is appended is there, in order, chained, and in the tree."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest

from consent.access_log import AccessLog, Entry, Receipt, Record, Subject
from keys.errors import KeyDestroyed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName


class SomeKeys:
    """Log keys derived from names; a destroyed one is gone."""

    def __init__(self) -> None:
        self.destroyed: set[str] = set()

    async def log_key(self, person: str) -> bytes:
        if person in self.destroyed:
            raise KeyDestroyed
        return hashlib.sha256(person.encode()).digest()


def disclosure(person: str = "p1", client: str = "aduan", claims: tuple[str, ...] = ("email", "name"), grant: str | None = "g1") -> Entry:
    record = Record(action="disclose", client=client, client_name="Aduan Warga", claims=claims, channel="userinfo", outcome="released")
    return Entry(record, Subject(person, grant=grant))


@pytest.fixture
async def log(stores: dict[StoreName, Database]) -> AsyncIterator[AccessLog]:
    log = AccessLog(stores["consent"], SomeKeys())
    await log.start()
    yield log
    await log.stop()


async def test_an_entry_is_in_the_history_before_the_receipt_is(log: AccessLog) -> None:
    receipt = await log.append(disclosure())
    assert isinstance(receipt, Receipt)
    (entry,) = await log.history("p1")
    assert (entry.index, entry.entry_id, entry.n, entry.time) == (receipt.index, receipt.entry_id, 0, receipt.time)
    assert entry.client == "aduan"
    assert entry.claims == ("email", "name")
    assert entry.problem is None


async def test_indices_are_contiguous_and_chains_whole_over_many_batches(log: AccessLog) -> None:
    receipts = await asyncio.gather(*(log.append(disclosure(f"p{i % 7}")) for i in range(1300)))
    assert sorted(r.index for r in receipts if isinstance(r, Receipt)) == list(range(1300))
    check = await log.check_person("p3")
    assert check.whole, check.problem
    assert check.entries == 186
    status = await log.status()
    assert status.size == 1300
    assert status.in_doubt is None

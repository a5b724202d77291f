"""Packages of openings: kept whole, given to their auditor part by part while their time lasts, swept after it, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.openings.records import Package
from idp.openings.store import OpeningStore

if TYPE_CHECKING:
    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=7)
WHOSE, OTHER = "P-00000001", "P-00000002"


def package(proposal: str, until: dt.datetime = LATER) -> Package:
    return Package(proposal, WHOSE, NOW, until, 0, 9, 5, 1, 2, complete=True, parts=3)


async def test_a_package_is_its_auditors_until_its_time_is_over_and_then_goes_part_by_part(stores: dict[StoreName, Database]) -> None:
    store = OpeningStore(stores["idp"])
    await store.keep(package("a"), [b"1", b"2", b"3"])
    await store.keep(package("b", LATER + dt.timedelta(days=1)), [b"4", b"5", b"6"])
    assert await store.get("a", NOW) == package("a")
    assert [await store.part("a", number, WHOSE, NOW) for number in range(4)] == [b"1", b"2", b"3", None]
    assert await store.part("a", 0, OTHER, NOW) is None
    assert (await store.get("a", LATER), await store.part("a", 0, WHOSE, LATER)) == (None, None)
    assert [await store.sweep(moment, 2) for moment in (NOW, LATER, LATER, LATER, LATER)] == [0, 2, 1, 1, 0]
    assert await store.part("b", 2, WHOSE, LATER) == b"6"
    with pytest.raises(sa.exc.IntegrityError):  # all or nothing
        await store.keep(package("b"), [b"x"])
    assert await store.part("b", 0, WHOSE, NOW) == b"4"

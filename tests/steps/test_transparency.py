"""The public page of numbers: open to all, small numbers blurred, counted rarely."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consent.access_log.counts import Group
from idp.pages.formats import ZONE

if TYPE_CHECKING:
    from tests.support.running import Provider

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])


async def counted(provider: Provider, count: int, back: int = 1, **more: str) -> None:
    day = (provider.clock().astimezone(ZONE).date() - dt.timedelta(days=back)).isoformat()
    group = {"day": day, "action": "disclose", "client": "c", "agency": "dinkes", "purpose": "antrean", "basis": "e", "officer": ""}
    values = {**Group(**(group | more), lasting=0)._asdict(), "hours": " ".join([str(count), *["0"] * 23])}
    async with provider.services.consent.database.statement() as connection:
        await connection.execute(sa.text(
            "INSERT INTO log_activity (day, action, client, agency, purpose, basis, officer, lasting, hours) "
            "VALUES (:day, :action, :client, :agency, :purpose, :basis, :officer, :lasting, :hours)"
        ), values)  # fmt: skip


async def test_the_page_is_open_to_all_and_tells_no_small_number(provider: Provider) -> None:
    await counted(provider, 1237)
    await counted(provider, 3, purpose="aduan", agency="diskominfo")
    await counted(provider, 888, back=0)  # today: not told yet
    page = await (await provider.visitor()).get("/transparansi?lang=en")
    assert page.status == 200
    assert "1,235" in page.text
    assert "&lt;5" in page.text
    assert "Health Office" in page.text
    for number in ("1,237", ">888<", ">890<", ">3<"):
        assert number not in page.text, number


async def test_numbers_are_counted_at_most_every_five_minutes(provider: Provider) -> None:
    visitor = await provider.visitor()
    assert "Belum ada pembacaan" in (await visitor.get("/transparansi")).text
    await counted(provider, 50)
    assert "Belum ada pembacaan" in (await visitor.get("/transparansi")).text
    provider.clock.move(minutes=6)
    assert "Belum ada pembacaan" not in (await visitor.get("/transparansi")).text


async def test_the_newest_checkpoint_is_shown(provider: Provider) -> None:
    page = await (await provider.visitor()).get("/transparansi")
    assert 'href="/audit"' in page.text
    home = await (await provider.visitor()).get("/")
    assert 'href="/transparansi"' in home.text

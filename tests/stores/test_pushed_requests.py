"""Pushed requests rest sealed, open for their client while they last, and are used up once, on both databases."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from idp.interactions.pushed.store import PREFIX, PushedRequestStore
from idp.schema import metadata
from keys.digests import Digests
from keys.secrets import Secrets

if TYPE_CHECKING:
    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
REQUEST = {"client_id": "app", "login_hint": "siti@planted.test"}


class _Keyring:
    digests = Digests(b"k" * 32)
    secrets = Secrets(b"s" * 32)


@pytest.fixture
def pushed(stores: dict[StoreName, Database]) -> PushedRequestStore:
    keyring: Any = _Keyring()
    return PushedRequestStore(stores["idp"], keyring, 1800)


async def rows(stores: dict[StoreName, Database]) -> list[Any]:
    async with stores["idp"].read() as connection:
        return [*await connection.execute(sa.select(metadata.tables["pushed_requests"]))]


async def test_it_opens_for_its_client_alone_and_as_often_as_asked(pushed: PushedRequestStore) -> None:
    uri = await pushed.push("app", REQUEST, NOW + MINUTE)
    assert uri.startswith(PREFIX)
    for _ in range(2):
        assert await pushed.open(uri, "app", NOW) == REQUEST
    assert await pushed.open(uri, "other", NOW) is None
    assert await pushed.open(uri + "x", "app", NOW) is None
    assert await pushed.open(uri, "app", NOW + MINUTE) is None


async def test_of_many_that_race_one_uses_it_up(pushed: PushedRequestStore) -> None:
    uri = await pushed.push("app", REQUEST, NOW + MINUTE)
    assert not await pushed.consume(uri, "other", NOW)
    assert sorted(await asyncio.gather(*(pushed.consume(uri, "app", NOW) for _ in range(8)))) == [False] * 7 + [True]
    assert await pushed.open(uri, "app", NOW) is None


async def test_who_opened_it_in_time_may_finish_later(pushed: PushedRequestStore) -> None:
    uri = await pushed.push("app", REQUEST, NOW + MINUTE)
    assert await pushed.consume(uri, "app", NOW + 20 * MINUTE)


async def test_nothing_rests_in_clear_and_what_is_used_is_emptied(pushed: PushedRequestStore, stores: dict[StoreName, Database]) -> None:
    uri = await pushed.push("app", REQUEST, NOW + MINUTE)
    (row,) = await rows(stores)
    assert b"planted" not in row.request
    assert uri.removeprefix(PREFIX) not in str(row)
    await pushed.consume(uri, "app", NOW)
    (row,) = await rows(stores)
    assert bytes(row.request) == b""


async def test_a_row_that_was_moved_to_another_uri_does_not_open(pushed: PushedRequestStore, stores: dict[StoreName, Database]) -> None:
    from keys.errors import SealBroken

    first, second = await pushed.push("app", REQUEST, NOW + MINUTE), await pushed.push("app", {"client_id": "app"}, NOW + MINUTE)
    table = metadata.tables["pushed_requests"]
    digest = _Keyring.digests.digest("pushed_request", first)
    (sealed,) = [row.request for row in await rows(stores) if row.digest == digest]
    async with stores["idp"].statement() as connection:
        await connection.execute(sa.update(table).where(table.c.digest != digest).values(request=sealed))
    with pytest.raises(SealBroken):
        await pushed.open(second, "app", NOW)


async def test_the_sweep_is_bounded_and_leaves_what_can_be_finished(pushed: PushedRequestStore) -> None:
    for _ in range(3):
        await pushed.push("app", REQUEST, NOW + MINUTE)
    assert await pushed.sweep(NOW + 30 * MINUTE) == 0
    assert await pushed.sweep(NOW + 32 * MINUTE, limit=2) == 2
    assert await pushed.sweep(NOW + 32 * MINUTE) == 1

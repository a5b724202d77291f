"""Notices: told once for each cause, sealed, fair between applications, never lost and never kept for ever."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.clients.tables import agencies, clients
from idp.notices.records import NewNotice, NoticeKind, NoticeStatus
from idp.notices.store import NoticeStore
from idp.notices.streams.records import Stream
from idp.schema import metadata
from keys.keyring import Keyring
from tests.support.people import CHEAP, ROOT, Clock
from tests.support.rows import put

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName


@pytest.fixture
async def notices(stores: dict[StoreName, Database]) -> AsyncIterator[NoticeStore]:
    keyring = await Keyring.open(stores["keys"], ROOT, CHEAP)
    await put(stores["idp"], agencies, code="dinas")
    for client in ("aduan", "antrean"):
        await put(stores["idp"], clients, id=client, agency="dinas")
    yield NoticeStore(stores["idp"], keyring)
    await keyring.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def notice(client: str = "aduan", cause: str = "c", kind: NoticeKind = NoticeKind.LOGOUT, *, held: bool = False) -> NewNotice:
    return NewNotice(client=client, kind=kind, event="session-revoked", cause=cause, content={"sub": "penanda"}, held=held)


async def test_the_same_cause_is_told_once(notices: NoticeStore, clock: Clock) -> None:
    await asyncio.gather(*(notices.add([notice()], clock()) for _ in range(8)))
    await notices.add([notice(), notice(cause="d"), notice("antrean")], clock())
    assert len(await notices.of_client("aduan")) == 2
    assert len(await notices.of_client("antrean")) == 1


async def test_what_it_says_rests_sealed_and_goes_when_it_is_told(
    notices: NoticeStore, clock: Clock, stores: dict[StoreName, Database]
) -> None:
    await notices.add([notice()], clock())
    (taken,) = await notices.take(clock())
    assert taken.content == {"sub": "penanda"}
    async with stores["idp"].read() as connection:
        (row,) = (await connection.execute(sa.select(metadata.tables["notices"]))).all()
        assert b"penanda" not in row.cell
    assert await notices.close(taken.id, NoticeStatus.DELIVERED, clock(), "status 200")
    assert not await notices.close(taken.id, NoticeStatus.REFUSED, clock())
    async with stores["idp"].read() as connection:
        (row,) = (await connection.execute(sa.select(metadata.tables["notices"]))).all()
    assert (row.cell, row.status, row.next_attempt_at) == (None, "delivered", None)


async def test_a_lease_is_one_process_s_and_ends(notices: NoticeStore, clock: Clock) -> None:
    await notices.add([notice(cause=str(n)) for n in range(4)], clock())
    taken = await asyncio.gather(*(notices.take(clock()) for _ in range(6)))
    assert sum(map(len, taken)) == 4
    assert await notices.take(clock.move(seconds=119)) == []
    assert [one.attempts for one in await notices.take(clock.move(seconds=2))] == [2] * 4


async def test_one_application_with_many_notices_leaves_room_for_others(notices: NoticeStore, clock: Clock) -> None:
    await notices.add([notice(cause=str(n)) for n in range(150)], clock())
    await notices.add([notice("antrean")], clock.move(seconds=1))
    taken = await notices.take(clock())
    assert sorted(one.client for one in taken) == ["aduan"] * 5 + ["antrean"]
    assert await notices.take(clock.move(minutes=5), busy=["aduan", "antrean"]) == []


async def test_held_ones_wait_until_they_are_closed_and_are_never_sent(notices: NoticeStore, clock: Clock) -> None:
    await notices.add([notice(cause=str(n), kind=NoticeKind.SIGNAL, held=True) for n in range(3)], clock())
    assert await notices.take(clock.move(days=1)) == []
    held = await notices.held("aduan", clock(), 2)
    assert len(held) == 2
    await notices.fetched([one.id for one in held], clock())
    assert not await notices.close(held[0].id, NoticeStatus.DELIVERED, clock(), client="antrean")  # another's
    assert await notices.close(held[0].id, NoticeStatus.DELIVERED, clock(), client="aduan")
    assert len(await notices.held("aduan", clock(), 9)) == 2
    assert await notices.held("aduan", clock.move(days=30), 9) == []


async def test_what_nobody_takes_is_given_up_and_forgotten(notices: NoticeStore, clock: Clock, stores: dict[StoreName, Database]) -> None:
    await notices.add([notice(), notice(kind=NoticeKind.SIGNAL, held=True)], clock())
    assert await notices.overdue(clock.now - dt.timedelta(hours=72)) == 0
    assert await notices.overdue(clock.move(hours=73) - dt.timedelta(hours=72)) == 2
    assert await notices.sweep(clock()) == 0
    assert sorted(one.status for one in await notices.of_client("aduan")) == ["given-up", "waiting"]
    await notices.sweep(clock.move(days=28))
    async with stores["idp"].read() as connection:
        kept = sa.select(sa.func.count()).select_from(metadata.tables["notices"]).where(metadata.tables["notices"].c.cell.is_not(None))
        assert (await connection.execute(kept)).scalar_one() == 0
    await notices.sweep(clock.move(days=5))
    assert await notices.of_client("aduan") == []


async def test_a_stream_is_kept_sealed_changed_and_goes_with_its_application(
    notices: NoticeStore, clock: Clock, stores: dict[StoreName, Database]
) -> None:
    stream = Stream("aduan", frozenset({"session-revoked"}), "https://rp.test/events", "Bearer rahasia")
    await notices.streams.put(stream, clock())
    assert await notices.streams.of(["aduan", "antrean"]) == {"aduan": stream}
    async with stores["idp"].read() as connection:
        assert b"rahasia" not in (await connection.execute(sa.select(metadata.tables["signal_streams"]))).one().authorization
    await notices.add([notice(kind=NoticeKind.SIGNAL)], clock())
    polled = Stream("aduan", frozenset({"account-purged"}))
    await notices.streams.put(polled, clock())
    await notices.redirect("aduan", clock(), held=True)
    assert await notices.streams.get("aduan") == polled
    assert await notices.take(clock()) == []
    async with stores["idp"].statement() as connection:
        await connection.execute(sa.delete(clients).where(clients.c.id == "aduan"))
    assert await notices.streams.get("aduan") is None
    assert not await notices.streams.remove("aduan")

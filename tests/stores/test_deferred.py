"""Requests that are answered elsewhere: answered once, fetched once, and found only by digests of their codes."""

from __future__ import annotations

import asyncio
import collections
import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.deferred.records import Answered, Begun, DeferredKind, Unanswered
from idp.deferred.store import KEEP, TOLD, DeferredStore
from idp.schema import metadata
from tests.support.people import people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(seconds=600)


@pytest.fixture
async def store(stores: dict[StoreName, Database]) -> AsyncIterator[DeferredStore]:
    async with people(stores) as town:
        yield DeferredStore(stores["idp"], town.keyring)


async def begun(store: DeferredStore, user_code: str | None = "123456789", person: str | None = None) -> Begun:
    kind = DeferredKind.DEVICE if user_code else DeferredKind.BACKCHANNEL
    made = await store.begin(kind, "app", {"scope": "openid"}, NOW, lifetime=600, interval=5, person=person, user_code=user_code)
    assert made is not None
    return made


async def redeem(store: DeferredStore, code: str, now: dt.datetime = NOW) -> Answered | Unanswered:
    return await store.redeem(DeferredKind.DEVICE, code, "app", now)


async def test_the_database_holds_neither_code_nor_request_in_clear(store: DeferredStore, stores: dict[StoreName, Database]) -> None:
    made = await begun(store)
    async with stores["idp"].read() as connection:
        (row,) = (await connection.execute(sa.select(metadata.tables["deferred_requests"]))).all()
    assert made.code not in str(row)
    assert "123456789" not in str(row)
    assert "openid" not in str(row)


async def test_a_user_code_in_use_is_not_given_twice_and_is_free_again_after_the_answer(store: DeferredStore) -> None:
    made = await begun(store)
    again = await store.begin(DeferredKind.DEVICE, "app", {}, NOW, lifetime=600, interval=5, user_code="123456789")
    assert again is None
    assert await store.answer(made.id, None, NOW)
    assert (await begun(store)).id != made.id


async def test_of_many_answers_at_once_one_counts(store: DeferredStore) -> None:
    made = await begun(store)
    answers = await asyncio.gather(*(store.answer(made.id, f"authorization-{number}", NOW) for number in range(20)))
    assert sum(answers) == 1


async def test_of_many_that_fetch_at_once_one_gets_the_answer(store: DeferredStore) -> None:
    made = await begun(store)
    await store.answer(made.id, "authorization", NOW)
    outcomes = await asyncio.gather(*(redeem(store, made.code) for _ in range(20)))
    assert collections.Counter(outcomes) == {Answered("authorization"): 1, Unanswered.REUSED: 19}
    assert await store.redeemed(DeferredKind.DEVICE, made.code, "app") == "authorization"


async def test_a_code_of_one_kind_is_none_of_the_other_nor_of_another_client(store: DeferredStore) -> None:
    made = await begun(store)
    await store.answer(made.id, "authorization", NOW)
    assert await store.redeem(DeferredKind.BACKCHANNEL, made.code, "app", NOW) is Unanswered.UNKNOWN
    assert await store.redeem(DeferredKind.DEVICE, made.code, "other", NOW) is Unanswered.UNKNOWN
    assert await redeem(store, made.code) == Answered("authorization")


async def test_what_came_too_late_is_neither_answered_nor_fetched(store: DeferredStore) -> None:
    made = await begun(store)
    assert not await store.answer(made.id, "authorization", LATER)
    assert await store.by_user_code("123456789", LATER) is None
    assert await redeem(store, made.code, LATER) is Unanswered.EXPIRED


async def test_a_persons_requests_are_found_and_go_with_the_person(store: DeferredStore) -> None:
    mine, _ = await begun(store, None, "siti"), await begun(store, None, "budi")
    assert [one.id for one in await store.of_person("siti", NOW)] == [mine.id]
    await store.erase("siti")
    assert await store.of_person("siti", NOW) == []
    assert len(await store.of_person("budi", NOW)) == 1


async def test_old_requests_are_swept_and_those_that_gave_nothing_soon(store: DeferredStore) -> None:
    """Anybody can begin one: only an answer that was fetched is remembered for a day, since its second use revokes."""
    fetched = await begun(store, "111111111")
    await begun(store, "222222222")
    assert await store.answer(fetched.id, "authorization", NOW)
    assert isinstance(await redeem(store, fetched.code), Answered)
    second = dt.timedelta(seconds=1)
    assert await store.sweep(LATER + TOLD - second) == 0
    assert await store.sweep(LATER + TOLD + second) == 1
    assert await redeem(store, fetched.code, LATER + TOLD + second) is Unanswered.REUSED
    assert await store.sweep(LATER + KEEP + second) == 1

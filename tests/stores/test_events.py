"""Events: counters that no race escapes, an outbox that forgets nothing undone, and devices that are known."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.events.records import EventKind
from idp.protocol.outbox import Outbox
from idp.schema import metadata
from idp.settings import load
from idp.web.rate_limits import LimitRules, RateLimits, Taken, Wait
from tests.support.people import People, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from idp.events.outbox.records import Errand
    from keys.database import Database, StoreName


@pytest.fixture
async def town(stores: dict[StoreName, Database]) -> AsyncIterator[People]:
    async with people(stores) as found:
        yield found


@pytest.fixture
def limits(town: People) -> RateLimits:
    return RateLimits(town.events.counters, town.keyring.blind_index.index, town.clock, LimitRules.of(load()))


async def test_ten_failures_slow_strangers_down_and_the_window_ends(town: People, limits: RateLimits) -> None:
    for _ in range(10):
        assert isinstance(await limits.sign_in("email:siti@contoh.id", address="a", browser="b", known=False), Taken)
    refused = await limits.sign_in("email:siti@contoh.id", address="other", browser="other", known=False)
    assert isinstance(refused, Wait)
    assert 0 < refused.seconds <= 900
    town.clock.move(minutes=16)
    assert isinstance(await limits.sign_in("email:siti@contoh.id", address="a", browser="b", known=False), Taken)


async def test_strangers_never_slow_a_known_device_down(limits: RateLimits) -> None:
    for n in range(200):
        await limits.sign_in("email:siti@contoh.id", address=f"10.0.0.{n}", browser=f"b{n}", known=False)
    assert isinstance(await limits.sign_in("email:siti@contoh.id", address="home", browser="own", known=True), Taken)


async def test_a_stolen_known_device_is_slowed_down_by_itself(limits: RateLimits) -> None:
    outcomes = [await limits.sign_in("email:siti@contoh.id", address="home", browser="own", known=True) for _ in range(11)]
    assert isinstance(outcomes[-1], Wait)


async def test_a_race_escapes_no_counter(limits: RateLimits) -> None:
    tries = [limits.sign_in("email:siti@contoh.id", address=f"10.0.0.{n}", browser=f"b{n}", known=False) for n in range(50)]
    outcomes = await asyncio.gather(*tries)
    assert sum(isinstance(outcome, Taken) for outcome in outcomes) == 10


async def test_success_is_given_back(limits: RateLimits) -> None:
    for _ in range(30):
        taken = await limits.sign_in("email:siti@contoh.id", address="a", browser="b", known=False)
        assert isinstance(taken, Taken)
        await limits.give_back(taken)


async def test_limits_are_what_the_settings_say(town: People) -> None:
    rules = LimitRules.of(load(limit_strangers="2/60, 3/3600"))
    limits = RateLimits(town.events.counters, town.keyring.blind_index.index, town.clock, rules)

    async def tries(n: int) -> list[bool]:
        taken = [await limits.sign_in("email:siti@contoh.id", address="a", browser="b", known=False) for _ in range(n)]
        return [isinstance(one, Taken) for one in taken]

    assert await tries(3) == [True, True, False]
    town.clock.move(seconds=61)
    assert await tries(1) == [False]  # four within the hour
    town.clock.move(hours=1)
    assert await tries(1) == [True]


async def test_one_network_cannot_try_many_people(limits: RateLimits) -> None:
    allowed = limits.rules.network[0].allowed
    outcomes = [await limits.sign_in(f"email:{n}", address="a", browser="b", known=False) for n in range(allowed + 1)]
    assert isinstance(outcomes[-1], Wait)
    assert all(isinstance(outcome, Taken) for outcome in outcomes[:-1])


async def test_counters_hold_no_identifier(limits: RateLimits, stores: dict[StoreName, Database]) -> None:
    await limits.sign_in("email:siti@contoh.id", address="203.0.113.7", browser="b", known=False)
    async with stores["idp"].read() as connection:
        text = str((await connection.execute(sa.select(metadata.tables["counters"]))).all())
    assert "siti" not in text
    assert "203.0.113" not in text


async def test_counters_and_old_events_are_swept(town: People, limits: RateLimits) -> None:
    await limits.sign_in("email:siti@contoh.id", address="a", browser="b", known=False)
    await town.events.record(EventKind.SIGNED_IN, at=town.clock(), person="p")
    await town.events.remember_device("p", "b", town.clock())
    town.clock.move(days=400)
    assert await town.events.counters.sweep(town.clock()) == 4
    assert await town.events.sweep(town.clock()) == 2


async def test_an_errand_is_leased_to_one_taker_and_comes_back_when_nobody_finished_it(town: People) -> None:
    outbox = town.events.outbox
    errand = await outbox.add("message", {"text": "rahasia"}, town.clock(), person="p")
    takes = await asyncio.gather(*(outbox.take(town.clock()) for _ in range(10)))
    assert [one.id for taken in takes for one in taken] == [errand]
    (again,) = await outbox.take(town.clock.move(minutes=3))
    assert (again.id, again.attempts, again.payload) == (errand, 2, {"text": "rahasia"})
    await outbox.done(errand)
    assert await outbox.waiting() == 0


async def test_a_failed_errand_is_put_off_ever_longer_and_given_up_after_three_days(town: People) -> None:
    outbox = town.events.outbox
    await outbox.add("message", {}, town.clock())
    tries = 0
    while taken := await outbox.take(town.clock.move(hours=1, minutes=1)):
        tries += 1
        if not await outbox.retry(taken[0], town.clock()):
            break
    assert 60 <= tries <= 72
    assert await outbox.waiting() == 0


async def test_an_erasure_and_the_end_of_a_permission_are_never_given_up_and_no_fault_ends_the_tries(town: People) -> None:
    """UU PDP Art. 40, 44: what a citizen was promised is done when it can be, however long the log was away, whatever went wrong."""
    store, tried = town.events.outbox, []

    async def fails(errand: Errand) -> None:
        tried.append(errand.topic)
        raise ValueError("a fault that nobody thought of")

    topics = ("erasure", "grant-ended", "message")
    for topic in topics:
        await store.add(topic, {}, town.clock())
    errands = Outbox(store, dict.fromkeys(topics, fails), town.clock)
    for _ in range(100):
        town.clock.move(hours=1, minutes=1)
        await errands.run_once()
    assert (await store.waiting("erasure"), await store.waiting("grant-ended"), await store.waiting("message")) == (1, 1, 0)
    assert tried.count("erasure") == 100


async def test_what_waits_in_the_outbox_rests_sealed(town: People, stores: dict[StoreName, Database]) -> None:
    await town.events.outbox.add("message", {"address": "siti@contoh.id"}, town.clock())
    async with stores["idp"].read() as connection:
        assert "siti" not in str((await connection.execute(sa.select(metadata.tables["outbox"]))).all())


async def test_erasure_forgets_devices_messages_and_whose_events_they_were(town: People) -> None:
    await town.events.record(EventKind.SIGNED_IN, at=town.clock(), person="p", session="s", address="a")
    await town.events.remember_device("p", "b", town.clock())
    await town.events.outbox.add("message", {}, town.clock(), person="p")
    await town.events.erase("p")
    assert await town.events.of_person("p") == []
    assert not await town.events.knows_device(["p"], "b")
    assert await town.events.outbox.waiting() == 0


async def test_a_device_is_known_to_those_who_signed_in_from_it(town: People) -> None:
    await town.events.remember_device("p", "b", town.clock())
    assert await town.events.knows_device(["q", "p"], "b")
    assert not await town.events.knows_device(["q"], "b")
    assert not await town.events.knows_device(["p"], None)
    assert not await town.events.knows_device([], "b")
    await town.events.forget_devices("p")
    assert not await town.events.knows_device(["p"], "b")

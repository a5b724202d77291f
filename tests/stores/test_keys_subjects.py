"""People's keys: made once, rotated, destroyed for good, and noticed to be destroyed everywhere."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from keys.database import Database
from keys.errors import KeyDestroyed
from keys.sealing import Binding
from keys.sealing.cells import generation_of
from keys.sealing.open import open_cell
from keys.sealing.seal import seal_cell
from tests.support.keyrings import open_keyring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import StoreName
    from keys.keyring import Keyring

PLACE = Binding("account_cells", "cell", "nik", "p1")


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def pair(database_urls: dict[StoreName, str], clock: Clock) -> AsyncIterator[tuple[Keyring, Keyring]]:
    """Two processes on the same store."""
    databases = [Database.open(database_urls["keys"]) for _ in range(2)]
    first, second = [await open_keyring(database, algorithms=("ES256",), clock=clock) for database in databases]
    yield first, second
    for opened, database in zip((first, second), databases, strict=True):
        await opened.close()
        await database.close()


async def test_processes_that_create_together_share_the_keys(pair: tuple[Keyring, Keyring]) -> None:
    first, second = pair
    await asyncio.gather(*(ring.subject_keys.create("p1") for ring in pair * 3))
    assert (await first.subject_keys.data_key("p1")) == (await second.subject_keys.data_key("p1"))
    assert (await first.subject_keys.log_key("p1")).reference == (await second.subject_keys.log_key("p1")).reference
    assert await first.subject_keys.exists("p1")
    assert not await first.subject_keys.exists("p2")


async def test_unknown_people_have_no_key(pair: tuple[Keyring, Keyring]) -> None:
    keys = pair[0].subject_keys
    for asked in (keys.data_key("nobody"), keys.data_key("nobody", 1), keys.log_key("nobody"), keys.rotate("nobody")):
        with pytest.raises(KeyDestroyed):
            await asked
    assert await keys.log_keys(["nobody"]) == {}


async def test_log_keys_of_many_come_in_one_answer_without_the_destroyed(pair: tuple[Keyring, Keyring]) -> None:
    keys = pair[0].subject_keys
    people = [f"p{number}" for number in range(5)]
    for person in people:
        await keys.create(person)
    await keys.destroy("p3")
    found = await keys.log_keys([*people, "p1", "nobody"])
    assert sorted(found) == ["p0", "p1", "p2", "p4"]
    references = {person: key.reference for person, key in found.items()}
    assert len(set(references.values())) == 4
    assert references == {person: key.reference for person, key in (await keys.log_keys(list(found))).items()}


async def test_after_rotation_old_cells_open_and_new_ones_carry_the_new_generation(pair: tuple[Keyring, Keyring]) -> None:
    keys = pair[0].subject_keys
    await keys.create("p1")
    old = seal_cell(await keys.data_key("p1"), PLACE, b"old")
    assert await keys.rotate("p1") == 2
    new = seal_cell(await keys.data_key("p1"), PLACE, b"new")
    assert (generation_of(old), generation_of(new)) == (1, 2)
    for cell, expected in ((old, b"old"), (new, b"new")):
        assert open_cell(await keys.data_key("p1", generation_of(cell)), PLACE, cell) == expected


async def test_processes_that_rotate_together_never_lose_a_generation(pair: tuple[Keyring, Keyring]) -> None:
    await pair[0].subject_keys.create("p1")
    made = await asyncio.gather(*(ring.subject_keys.rotate("p1") for ring in pair))
    newest = max(made)
    for ring in pair:
        for generation in range(1, newest + 1):
            assert (await ring.subject_keys.data_key("p1", generation)).generation == generation


async def test_destruction_is_known_here_at_once_and_elsewhere_within_the_cache_time(pair: tuple[Keyring, Keyring], clock: Clock) -> None:
    first, second = pair
    await first.subject_keys.create("p1")
    for ring in pair:
        await ring.subject_keys.data_key("p1")
        await ring.subject_keys.log_key("p1")
    assert await first.subject_keys.destroy("p1")
    for asked in (first.subject_keys.data_key("p1"), first.subject_keys.log_key("p1")):
        with pytest.raises(KeyDestroyed):
            await asked
    clock.time += 59
    assert (await second.subject_keys.data_key("p1")).generation == 1
    clock.time += 1
    for asked in (second.subject_keys.data_key("p1"), second.subject_keys.log_key("p1")):
        with pytest.raises(KeyDestroyed):
            await asked


async def test_a_tick_tells_other_processes_sooner_and_a_confirmed_key_at_once(pair: tuple[Keyring, Keyring]) -> None:
    first, second = pair
    await first.subject_keys.create("p1")
    await second.refresh()
    await second.subject_keys.data_key("p1")
    await second.subject_keys.log_key("p1")
    await first.subject_keys.destroy("p1")
    with pytest.raises(KeyDestroyed):
        await second.subject_keys.data_key("p1", confirmed=True)
    with pytest.raises(KeyDestroyed):
        await second.subject_keys.log_key("p1")
    await first.subject_keys.create("p2")
    await second.subject_keys.data_key("p2")
    await first.subject_keys.destroy("p2")
    await second.refresh()
    with pytest.raises(KeyDestroyed):
        await second.subject_keys.data_key("p2")


async def test_destroying_again_is_harmless_and_nobody_gets_new_keys_under_an_old_id(pair: tuple[Keyring, Keyring]) -> None:
    first, second = pair
    await first.subject_keys.create("p1")
    assert await first.subject_keys.destroy("p1")
    assert not await second.subject_keys.destroy("p1")
    assert await second.subject_keys.destroy("never seen")
    for person in ("p1", "never seen"):
        with pytest.raises(KeyDestroyed):
            await first.subject_keys.create(person)
        with pytest.raises(KeyDestroyed):
            await second.subject_keys.rotate(person)


async def test_rotating_and_destroying_together_leaves_no_key(pair: tuple[Keyring, Keyring]) -> None:
    first, second = pair
    for number in range(15):
        person = f"p{number}"
        await first.subject_keys.create(person)
        await asyncio.gather(
            first.subject_keys.rotate(person),
            second.subject_keys.destroy(person),
            first.subject_keys.create(person),
            return_exceptions=True,
        )
    async with first.database.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM data_keys"))).scalar_one() == 0
        assert (await connection.execute(sa.text("SELECT count(*) FROM subject_keys WHERE wrapped IS NOT NULL"))).scalar_one() == 0


async def test_a_key_read_while_it_is_destroyed_is_not_kept(pair: tuple[Keyring, Keyring], monkeypatch: pytest.MonkeyPatch) -> None:
    keys = pair[0].subject_keys
    await keys.create("p1")
    read = keys._store.data_key

    async def slow(person: str, generation: int | None) -> object:
        found = await read(person, generation)
        await keys.destroy("p1")
        return found

    monkeypatch.setattr(keys._store, "data_key", slow)
    await keys.data_key("p1")
    monkeypatch.setattr(keys._store, "data_key", read)
    with pytest.raises(KeyDestroyed):
        await keys.data_key("p1")


async def test_old_generations_are_dropped_only_when_no_process_can_still_seal_under_them(pair: tuple[Keyring, Keyring]) -> None:
    keys = pair[0].subject_keys
    await keys.create("p1")
    await keys.rotate("p1")
    assert await keys.drop_generations("p1", 2) == 0
    old = int((await pair[0].database.now() - dt.timedelta(minutes=5)).timestamp() * 1_000_000)
    async with pair[0].database.statement() as connection:
        await connection.execute(sa.text(f"UPDATE data_keys SET created_at = {old}"))
    assert await keys.drop_generations("p1", 2) == 1
    with pytest.raises(KeyDestroyed):
        await keys.data_key("p1", 1)
    assert (await keys.data_key("p1")).generation == 2


async def test_the_cache_is_bounded_and_unwraps_are_counted(stores: dict[StoreName, Database]) -> None:
    ring = await open_keyring(stores["keys"], algorithms=("ES256",), cache_size=3)
    for number in range(6):
        await ring.subject_keys.create(f"p{number}")
        await ring.subject_keys.data_key(f"p{number}")
    assert len(ring.subject_keys._held) == 3
    assert ring.subject_keys.unwraps == 6
    await ring.subject_keys.data_key("p5")
    assert ring.subject_keys.unwraps == 6
    await ring.close()

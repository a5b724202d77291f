"""Passwords: argon2id, a bounded pool, and no difference for people who do not exist."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from typing import TYPE_CHECKING

import pytest

from keys.database import Database
from keys.errors import ConnectionHeld, PoolFull
from keys.passwords import PasswordCost, Passwords

if TYPE_CHECKING:
    from pathlib import Path

CHEAP = PasswordCost(memory=8, time=1)


async def test_the_right_password_is_ok_and_a_wrong_one_is_not() -> None:
    passwords = Passwords(CHEAP, threads=1, queue=4)
    stored = await passwords.hash("rahasia kota")
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert (await passwords.verify(stored, "rahasia kota")).ok
    assert not (await passwords.verify(stored, "rahasia")).ok
    assert not (await passwords.verify("no hash at all", "rahasia")).ok
    passwords.close()


async def test_the_default_cost_is_owasps() -> None:
    passwords = Passwords(PasswordCost(), threads=1, queue=1)
    assert (await passwords.hash("x")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    passwords.close()


async def test_one_spelling_of_accents_is_as_good_as_another() -> None:
    passwords = Passwords(CHEAP, threads=1, queue=4)
    stored = await passwords.hash("caf\u00e9 \ud800")
    assert (await passwords.verify(stored, "cafe\u0301 \ud800")).ok
    passwords.close()


async def test_a_hash_behind_the_parameters_is_made_anew_at_sign_in_only_when_right() -> None:
    old, new = Passwords(CHEAP, threads=1, queue=4), Passwords(PasswordCost(memory=16, time=2), threads=1, queue=4)
    stored = await old.hash("x")
    check = await new.verify(stored, "x")
    assert check.ok
    assert check.rehash is not None
    assert check.rehash.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert (await new.verify(check.rehash, "x")).rehash is None
    assert (await new.verify(stored, "y")).rehash is None
    old.close()
    new.close()


async def test_nobody_is_never_right_and_costs_the_same() -> None:
    passwords = Passwords(PasswordCost(memory=4096, time=2), threads=1, queue=4)
    stored = await passwords.hash("x")

    async def cost(of: str | None) -> float:
        start = time.perf_counter()
        assert not (await passwords.verify(of, "wrong")).ok
        return time.perf_counter() - start

    somebody, nobody = [], []
    for _ in range(20):
        somebody.append(await cost(stored))
        nobody.append(await cost(None))
    assert 0.5 < statistics.median(nobody) / statistics.median(somebody) < 2
    passwords.close()


async def test_a_full_pool_refuses_at_once_and_says_when_to_come_back() -> None:
    passwords = Passwords(CHEAP, threads=1, queue=2)
    gate = threading.Event()
    inside = [asyncio.ensure_future(passwords._run(gate.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(PoolFull) as refused:
        await passwords.hash("x")
    assert refused.value.retry_after >= 1
    gate.set()
    await asyncio.gather(*inside)
    assert (await passwords.verify(await passwords.hash("x"), "x")).ok
    passwords.close()


async def test_a_cancelled_check_gives_its_place_back() -> None:
    passwords = Passwords(CHEAP, threads=1, queue=1)
    gate = threading.Event()
    running = asyncio.ensure_future(passwords._run(gate.wait))
    waiting = asyncio.ensure_future(passwords._run(gate.wait))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.sleep(0.01)
    second = asyncio.ensure_future(passwords._run(gate.wait))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(running, second)
    passwords.close()


async def test_no_hash_is_awaited_while_a_connection_is_held(tmp_path: Path) -> None:
    passwords = Passwords(CHEAP, threads=1, queue=1)
    database = Database.open(f"sqlite:///{tmp_path}/x.sqlite3")
    async with database.read():
        with pytest.raises(ConnectionHeld):
            await passwords.hash("x")
    await database.close()
    passwords.close()

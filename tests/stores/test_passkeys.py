"""Passkeys at rest, on both databases: a challenge counts once, a counter only grows, a credential is one person's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from idp.accounts.passkeys.records import MOST, Passkey
from idp.accounts.records import Account, Value
from tests.support.people import NOON, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName
    from tests.support.people import People


@pytest.fixture
async def town(stores: dict[StoreName, Database]) -> AsyncIterator[People]:
    async with people(stores) as opened:
        yield opened


def passkey(account: Account, name: str = "k", credential: bytes = b"c" * 32, sign_count: int = 0) -> Passkey:
    return Passkey(name * 22, account.person, credential, b"cose", sign_count, synced=False, transports=("usb", "nfc"), created_at=NOON)


async def test_a_challenge_is_taken_once_by_whoever_races(town: People) -> None:
    kept = town.accounts.passkeys
    challenge = await kept.challenge("alone", "browser-one", town.clock())
    assert not await kept.take(challenge, "alone", "browser-two", town.clock())
    assert not await kept.take(challenge, "factor", "browser-one", town.clock())
    taken = await asyncio.gather(*(kept.take(challenge, "alone", "browser-one", town.clock()) for _ in range(8)))
    assert sorted(taken) == [False] * 7 + [True]
    late = await kept.challenge("alone", "browser-one", town.clock())
    assert not await kept.take(late, "alone", "browser-one", town.clock.move(minutes=10))
    assert await kept.sweep(town.clock.move(seconds=1)) == 1


async def test_a_counter_only_grows_and_one_of_two_equal_ones_counts(town: People) -> None:
    kept, siti = town.accounts.passkeys, await town.citizen()
    assert await kept.add(passkey(siti)) == "added"
    assert await kept.used("k" * 22, 0, town.clock())  # an authenticator that does not count says nought for ever
    assert await kept.used("k" * 22, 0, town.clock())
    raced = await asyncio.gather(*(kept.used("k" * 22, 7, town.clock()) for _ in range(6)))
    assert sorted(raced) == [False] * 5 + [True]
    for count in (7, 6, 0):
        assert not await kept.used("k" * 22, count, town.clock())
    assert await kept.used("k" * 22, 2**32 - 1, town.clock.move(minutes=1))
    (found,) = await kept.of_person(siti.person)
    assert (found.sign_count, found.last_used_at, found.transports) == (2**32 - 1, town.clock(), ("usb", "nfc"))


async def test_a_credential_is_one_person_s_and_goes_with_its_name(town: People) -> None:
    kept, siti, budi = town.accounts.passkeys, await town.citizen(), await town.citizen(email="budi@contoh.id")
    assert await kept.add(passkey(siti)) == "added"
    assert await kept.add(passkey(budi, "b")) == "known"
    assert await kept.add(passkey(budi, "b", b"d" * 1023)) == "added"
    assert (await town.accounts.get(budi.person)).has_second_factor  # type: ignore[union-attr]
    mine = (await kept.find(b"c" * 32)).label_claim  # type: ignore[union-attr]
    await town.accounts.put(siti.person, Value(mine, "HP Siti"), town.clock())
    (cell,) = await town.accounts.sealed(siti.person, [mine])
    assert b"Siti" not in bytes(cell.cell)
    assert not await kept.remove(budi.person, "k" * 22)
    assert await kept.remove(siti.person, "k" * 22)
    assert not await town.accounts.sealed(siti.person, [mine])
    await kept.remove_all(budi.person)
    assert not (await town.accounts.get(budi.person)).has_passkey  # type: ignore[union-attr]


async def test_nobody_gets_more_keys_than_are_allowed_by_racing(town: People) -> None:
    kept, siti = town.accounts.passkeys, await town.citizen()
    new = [passkey(siti, chr(ord("a") + number), bytes([number]) * 32) for number in range(MOST + 4)]
    for one in new[: MOST - 2]:
        await kept.add(one)
    raced = await asyncio.gather(*(kept.add(one) for one in new[MOST - 2 :]))
    assert sorted(raced) == ["added"] * 2 + ["most"] * 4
    assert len(await kept.of_person(siti.person)) == MOST


async def test_erasure_takes_keys_and_names_along(town: People) -> None:
    kept, siti = town.accounts.passkeys, await town.citizen()
    await kept.add(passkey(siti))
    await town.accounts.put(siti.person, Value("passkey:" + "k" * 22, "HP Siti"), town.clock())
    await town.accounts.erase(siti.person)
    assert await kept.find(b"c" * 32) is None
    assert not await town.accounts.sealed(siti.person)

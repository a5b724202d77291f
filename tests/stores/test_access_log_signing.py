"""Signer, anchor and high-water check on both databases."""

from __future__ import annotations

import asyncio

import pytest

from consent import checkpoint
from consent.anchor import Anchor
from consent.errors import LogUnavailable
from consent.signer import LogSigner, SignerRefused
from keys.database import Database
from keys.errors import StoreUnavailable
from tests.support.log import ORIGIN, LogHouse, SeedKeys, disclosure, log_house
from tests.support.waiting import trusted_again, until

__all__ = ["log_house"]


async def grow(house: LogHouse, count: int) -> None:
    await asyncio.gather(*(house.log.append(disclosure()) for _ in range(count)))


async def test_each_checkpoint_continues_the_one_before(log_house: LogHouse) -> None:
    sizes = []
    for count in (0, 1, 254, 1, 1, 300):
        await grow(log_house, count)
        sizes.append((await log_house.signer.sign_once()).size)
        assert checkpoint.open_note(log_house.anchor.read() or "", log_house.key).size == sizes[-1]
    assert sizes == [0, 1, 255, 256, 257, 557]


async def test_signing_is_immediate_but_the_public_checkpoint_moves_once_a_minute(log_house: LogHouse) -> None:
    await grow(log_house, 3)
    await log_house.signer.sign_once()
    await grow(log_house, 2)
    await log_house.signer.sign_once()
    status = await log_house.log.status()
    assert status.signed
    assert status.published
    assert (status.size, status.signed.size, status.published.size, status.anchor_size) == (5, 5, 3, 5)
    assert (status.signed.root, status.in_doubt) == (status.root, None)
    await a_minute_later(log_house)
    await log_house.signer.sign_once()
    assert await public_size(log_house) == 5


async def test_the_first_read_after_a_silence_is_not_public_before_its_minute_is_over(log_house: LogHouse) -> None:
    """However long nothing happened: a checkpoint that moved at once would tell the second in which somebody's data were read."""
    await grow(log_house, 3)
    await log_house.signer.sign_once()
    await log_house.execute("UPDATE log_checkpoints SET time = time - 3600000000")
    for count in (1, 1):
        await grow(log_house, count)
        await log_house.signer.sign_once()
        assert await public_size(log_house) == 3
    await a_minute_later(log_house)
    await grow(log_house, 1)
    await log_house.signer.sign_once()
    assert await public_size(log_house) == 5  # what was signed before this minute, not the entry that is a moment old
    status = await log_house.log.status()
    assert status.signed
    assert status.signed.size == 6


async def a_minute_later(house: LogHouse) -> None:
    """Have everything signed a minute ago."""
    await house.execute("UPDATE log_checkpoints SET time = time - 60000000")


async def public_size(house: LogHouse) -> int:
    published = (await house.log.status()).published
    assert published
    return published.size


async def test_the_signer_signs_within_a_second_of_growth(log_house: LogHouse) -> None:
    task = asyncio.create_task(log_house.signer.run(every=0.1))
    await grow(log_house, 3)

    async def signed() -> bool:
        found = log_house.anchor.read()
        return found is not None and checkpoint.parse(found).size == 3

    await until(signed, "a checkpoint of what has grown")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_second_signer_waits_until_the_first_is_gone(log_house: LogHouse) -> None:
    second = LogSigner(log_house.database, log_house.checkpoint_keys, ORIGIN, Anchor(log_house.anchor.path))
    with log_house.anchor.sole_signer():
        task = asyncio.create_task(second.run(every=0.05))
        await asyncio.sleep(0.3)
        assert log_house.anchor.read() is None

    async def signed() -> bool:
        return log_house.anchor.read() is not None

    await until(signed, "a checkpoint of the second signer")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_crash_between_anchor_and_publication_is_mended_by_the_next_round(log_house: LogHouse) -> None:
    await grow(log_house, 3)
    await log_house.signer.sign_once()
    await log_house.execute("DELETE FROM log_checkpoints")
    await log_house.signer.sign_once()
    status = await log_house.log.status()
    assert status.signed
    assert status.signed.size == 3


async def test_the_signer_does_not_sign_what_does_not_continue_the_anchor(log_house: LogHouse) -> None:
    await grow(log_house, 3)
    await log_house.signer.sign_once()
    await log_house.execute(
        "DROP TRIGGER log_entries_no_update" + (" ON log_entries" if log_house.database.dialect == "postgresql" else "")
    )
    await log_house.execute("UPDATE log_entries SET leaf = record WHERE idx = 1")
    await grow(log_house, 1)
    with pytest.raises(SignerRefused, match="first 3 entries"):
        await log_house.signer.sign_once()


async def test_a_lost_anchor_is_not_made_anew_by_itself(log_house: LogHouse) -> None:
    await grow(log_house, 3)
    await log_house.signer.sign_once()
    log_house.anchor.path.unlink()
    with pytest.raises(SignerRefused, match="is gone"):
        await log_house.signer.sign_once()
    process = log_house.process()
    await process.start()
    with pytest.raises(LogUnavailable, match="is gone"):
        await process.append(disclosure())
    assert (await log_house.signer.sign_once(adopt=True)).size == 3
    await trusted_again(process)
    await process.stop()


async def test_an_anchor_that_cannot_be_read_stops_disclosures_and_ends_no_signer(log_house: LogHouse) -> None:
    """Who may not take the file away could make it unreadable, and a disk may. Once it is whole again, all goes on by itself."""
    folder = log_house.anchor.path.parent
    folder.touch()  # no folder can be made here
    task = asyncio.create_task(log_house.signer.run(every=0.05))
    await asyncio.sleep(0.05)
    folder.unlink()
    await grow(log_house, 1)
    await until(lambda: asyncio.to_thread(log_house.anchor.path.exists), "an anchor")
    whole = log_house.anchor.path.read_bytes()

    async def doubted() -> bool:
        return f"the anchor {log_house.anchor.path}" in str(log_house.log.in_doubt)

    for broken in (b"\xff\xfe" * 60, None):
        log_house.anchor.path.unlink()
        log_house.anchor.path.write_bytes(broken) if broken else log_house.anchor.path.mkdir()
        await until(doubted, "a doubt that names the anchor")
        with pytest.raises(LogUnavailable):
            await log_house.log.append(disclosure())
        assert (await log_house.log.status()).anchor_size is None
        log_house.anchor.path.unlink() if broken else log_house.anchor.path.rmdir()
        log_house.anchor.path.write_bytes(whole)
        await trusted_again(log_house.log)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_checkpoint_signed_by_another_key_puts_the_log_in_doubt(log_house: LogHouse) -> None:
    await grow(log_house, 3)
    other = LogSigner(log_house.database, SeedKeys(b"another"), ORIGIN, log_house.anchor)
    await other.sign_once()
    process = log_house.process()
    await process.start()
    with pytest.raises(LogUnavailable, match="no signature of the key"):
        await process.append(disclosure())
    await process.stop()


async def test_a_process_that_starts_while_the_database_is_away_recovers_by_itself(
    log_house: LogHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_self: Database) -> None:
        raise StoreUnavailable

    process = log_house.process()
    with monkeypatch.context() as patch:
        patch.setattr(Database, "read", away)
        await process.start()
    with pytest.raises(LogUnavailable, match="not yet compared"):
        await process.append(disclosure())
    await trusted_again(process)
    await process.stop()

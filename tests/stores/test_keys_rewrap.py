"""Rewrapping: online, resumable, and old root versions die only when nothing needs them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from keys.custody import RootKeys
from keys.database import Database
from keys.errors import RootKeyWrong
from keys.rewrap import Progress, destroy_old_root_versions, rewrap
from keys.sealing import Binding
from keys.sealing.open import open_cell
from keys.sealing.seal import seal_cell
from tests.support.keyrings import open_keyring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from keys.database import StoreName
    from keys.keyring import Keyring
    from keys.store.subjects import SubjectKeyStore

TABLES = ("named_secrets", "signing_keys", "subject_keys", "data_keys", "checkpoint_keys")
PEOPLE = [f"p{number}" for number in range(20)]


class Interrupted(Exception):
    """The operator's ^C, or a lost machine."""


@pytest.fixture
async def ring(stores: dict[StoreName, Database], tmp_path: Path) -> AsyncIterator[Keyring]:
    ring = await open_keyring(stores["keys"], RootKeys.create_file(tmp_path / "root.key"), algorithms=("ES256", "EdDSA"))
    for person in PEOPLE:
        await ring.subject_keys.create(person)
    await ring.log_key.load()
    yield ring
    await ring.close()


async def _versions(ring: Keyring) -> set[int]:
    found: set[int] = set()
    async with ring.database.read() as connection:
        for table in TABLES:
            rows = await connection.execute(sa.text(f"SELECT DISTINCT root_version FROM {table} WHERE root_version IS NOT NULL"))
            found |= set(rows.scalars())
    return found


async def _works(ring: Keyring, keys: dict[str, bytes]) -> None:
    for person, secret in keys.items():
        assert (await ring.subject_keys.data_key(person)).secret == secret


async def test_everything_is_rewrapped_and_the_old_version_destroyed(ring: Keyring, tmp_path: Path) -> None:
    keys = {person: (await ring.subject_keys.data_key(person)).secret for person in PEOPLE}
    checkpoint = (await ring.log_key.load()).public_key
    backup = (tmp_path / "root.key").read_text()
    ring.root.add_version()
    seen: list[Progress] = []
    done = await rewrap(ring, seen.append, batch=7)
    assert (seen[-1].done, seen[-1].total, seen[-1].version) == (done, done, 2)
    assert await _versions(ring) == {2}
    assert await rewrap(ring) == 0
    assert list(await destroy_old_root_versions(ring)) == [1]
    assert RootKeys.from_file(tmp_path / "root.key").versions == {2}
    assert [version for version, _ in await ring.store.roots.destroyed_root_versions()] == [1]
    reopened = await open_keyring(ring.database, RootKeys.from_file(tmp_path / "root.key"), algorithms=("ES256", "EdDSA"))
    await _works(reopened, keys)
    assert reopened.named_secret("forms") == ring.named_secret("forms")
    assert (await reopened.log_key.load()).public_key == checkpoint
    await reopened.signing.sign({}, algorithm="ES256", type="JWT")
    await reopened.close()
    with pytest.raises(RootKeyWrong):
        await open_keyring(ring.database, RootKeys.from_environment(backup), algorithms=("ES256",))


async def test_rewrapping_interrupted_halfway_goes_on_where_it_stopped(ring: Keyring) -> None:
    keys = {person: (await ring.subject_keys.data_key(person)).secret for person in PEOPLE}
    ring.root.add_version()

    def interrupt(progress: Progress) -> None:
        if progress.done >= progress.total // 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        await rewrap(ring, interrupt, batch=4)
    assert await _versions(ring) == {1, 2}
    assert list(await destroy_old_root_versions(ring)) == []
    left = await ring.store.wrapped.count_below(2)
    ring.subject_keys._held.clear()
    await _works(ring, keys)
    assert await rewrap(ring, batch=4) == left
    assert await _versions(ring) == {2}
    assert list(await destroy_old_root_versions(ring)) == [1]
    ring.subject_keys._held.clear()
    await _works(ring, keys)


async def test_sealing_opening_creating_and_destroying_go_on_meanwhile(database_urls: dict[StoreName, str], ring: Keyring) -> None:
    database = Database.open(database_urls["keys"])
    assert ring.root.path is not None
    other = await open_keyring(database, RootKeys.from_file(ring.root.path), algorithms=("ES256",), cache_seconds=0.0)
    stop = asyncio.Event()
    done = 0

    async def live(name: str) -> None:
        nonlocal done
        number = 0
        while not stop.is_set():
            person = f"{name}-{number}"
            number += 1
            await other.subject_keys.create(person)
            place = Binding("t", "c", "r", person)
            cell = seal_cell(await other.subject_keys.data_key(person), place, b"value")
            assert open_cell(await other.subject_keys.data_key(person), place, cell) == b"value"
            await other.subject_keys.rotate(person)
            assert open_cell(await other.subject_keys.data_key(person, 1), place, cell) == b"value"
            if number % 2:
                await other.subject_keys.destroy(person)
            done += 1
            await asyncio.sleep(0.005)  # SQLite's busy handler is not fair: a loop without a pause keeps every other program out

    tasks = [asyncio.ensure_future(live(f"t{number}")) for number in range(2)]
    for _ in range(3):
        await asyncio.sleep(0.1)
        ring.root.add_version()
        await rewrap(ring, batch=5)
        await destroy_old_root_versions(ring)
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.gather(*tasks)
    assert done > 4
    await rewrap(ring)
    await destroy_old_root_versions(ring)
    assert await _versions(ring) == {4}
    await other.close()
    await database.close()


async def test_a_root_version_destroyed_between_the_readings_of_store_and_file_is_not_missing(
    database_urls: dict[StoreName, str], ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.open(database_urls["keys"])
    assert ring.root.path is not None
    other = await open_keyring(database, RootKeys.from_file(ring.root.path), algorithms=("ES256",))
    ring.root.add_version()
    await rewrap(ring)
    read = other.store.roots.root_versions

    async def overtaken() -> Any:
        found = await read()
        await destroy_old_root_versions(ring)
        other.root.reload()  # as another request of this process does at that instant
        return found

    monkeypatch.setattr(other.store.roots, "root_versions", overtaken)
    await other.recognise()
    assert other.root.versions == {2}
    with pytest.raises(RootKeyWrong, match="version 2 is missing"):
        other.root._keys.clear()
        monkeypatch.setattr(other.root, "reload", lambda: False)
        await other.recognise()
    await other.close()
    await database.close()


async def test_a_key_whose_root_version_is_destroyed_while_its_row_is_read_is_read_again(
    database_urls: dict[StoreName, str], ring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database.open(database_urls["keys"])
    assert ring.root.path is not None
    other = await open_keyring(database, RootKeys.from_file(ring.root.path), algorithms=("ES256",), cache_seconds=0.0)
    subjects, store = other.subject_keys, other.store.subjects

    async def every() -> dict[str, bytes]:
        return {person: secret async for page in subjects.every_log_key() for person, secret in page.items()}

    reads: dict[str, tuple[str, Callable[[], Awaitable[Any]]]] = {
        "data key": ("data_key", lambda: subjects.data_key("p1")),
        "log key": ("log_key", lambda: subjects.log_key("p1")),
        "log keys": ("log_keys", lambda: subjects.log_keys(["p1", "p2"])),
        "every log key": ("log_keys", every),
    }
    for name, read in reads.values():
        ring.root.add_version()
        with monkeypatch.context() as patched:
            _overtake(patched, ring, store, name)
            assert await read()
    with pytest.raises(RootKeyWrong):  # a key that is missing stays missing
        ring.root.add_version()
        await rewrap(ring)
        other.root._keys.clear()
        other.root._ciphers.clear()
        monkeypatch.setattr(other.root, "reload", lambda: False)
        await subjects.data_key("p1")
    await other.close()
    await database.close()


def _overtake(patched: pytest.MonkeyPatch, ring: Keyring, store: SubjectKeyStore, name: str) -> None:
    """Let the first read of `name` find a row that is rewrapped, and its root version destroyed, before it is unwrapped."""
    read = getattr(store, name)

    async def overtaken(*asked: Any) -> Any:
        patched.undo()
        found = await read(*asked)
        await rewrap(ring)
        await destroy_old_root_versions(ring)
        return found

    patched.setattr(store, name, overtaken)


async def test_a_process_that_never_heard_of_the_new_root_version_still_creates(database_urls: dict[StoreName, str], ring: Keyring) -> None:
    database = Database.open(database_urls["keys"])
    assert ring.root.path is not None
    late = await open_keyring(database, RootKeys.from_file(ring.root.path), algorithms=("ES256",))
    ring.root.add_version()
    await rewrap(ring)
    assert list(await destroy_old_root_versions(ring)) == [1]
    await late.subject_keys.create("new")  # its memory holds version 1 only
    assert (await ring.subject_keys.data_key("new")) == (await late.subject_keys.data_key("new"))
    ring.root.add_version()
    await rewrap(ring)
    assert list(await destroy_old_root_versions(ring)) == [2]
    await late.signing.rotate("ES256")
    ring.root.add_version()
    await rewrap(ring)
    assert list(await destroy_old_root_versions(ring)) == [3]
    await late.subject_keys.rotate("new")
    assert await _versions(ring) == {4}
    await late.close()
    await database.close()


async def test_a_version_that_still_wraps_something_cannot_be_destroyed(ring: Keyring) -> None:
    ring.root.add_version()
    assert await ring.adopt_root_version() == 2
    await ring.subject_keys.create("new")
    assert await _versions(ring) == {1, 2}
    assert list(await destroy_old_root_versions(ring)) == []
    assert ring.root.versions == {1, 2}


async def test_a_new_root_version_wraps_nothing_until_rewrapping_puts_it_to_use(ring: Keyring) -> None:
    ring.root.add_version()  # now the file can be brought to every other machine
    await ring.refresh()
    await ring.subject_keys.create("new")
    assert await _versions(ring) == {1}
    assert (ring.root.newest, ring.root.current) == (2, 1)
    await rewrap(ring)
    assert await _versions(ring) == {2}


async def test_a_machine_without_the_new_root_version_says_so(database_urls: dict[StoreName, str], ring: Keyring, tmp_path: Path) -> None:
    copy = tmp_path / "copy.key"
    copy.write_text((tmp_path / "root.key").read_text())
    copy.chmod(0o400)
    database = Database.open(database_urls["keys"])
    late = await open_keyring(database, RootKeys.from_file(copy), algorithms=("ES256",))
    ring.root.add_version()
    await rewrap(ring)
    with pytest.raises(RootKeyWrong, match="version 2 is missing"):
        await late.refresh()
    copy.unlink()
    copy.write_text((tmp_path / "root.key").read_text())
    copy.chmod(0o400)
    await late.refresh()  # repaired without a restart
    assert (await late.subject_keys.data_key("p1")) == (await ring.subject_keys.data_key("p1"))
    await late.close()
    await database.close()

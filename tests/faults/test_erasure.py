"""Erasure is real: nothing opens afterwards, in backups too; the log verifies; a crash or a restore leaves no half-remembered person."""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from consent.access_log import AccessLog
from consent.errors import ChainClosed, LogUnavailable, PersonErased
from idp import diagnosis
from idp.accounts.passkeys.records import Passkey, label_claim
from idp.accounts.records import Account, AccountState, Identifier, IdentifierKind, Value
from idp.pages.formats import Formats
from idp.protocol import complaints, erasure
from idp.protocol.erasure_journal import Closed, Erased, Journal, JournalBroken
from idp.protocol.outbox import outbox
from idp.schema import metadata
from idp.staff.records import Role
from keys.errors import KeyDestroyed
from keys.journal.store import JournalPosition
from keys.sealing.cells import generation_of
from tests.support.mailbox import letters
from tests.support.people import NOON
from tests.support.running import running, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from keys.database import Database, StoreName
    from tests.support.running import Provider


async def account_of(provider: Provider, key: str = "siti") -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def _known_everywhere(provider: Provider, person: str) -> None:
    """Leave something of a person wherever there is room for it."""
    found, now = provider.services, provider.clock()
    (entry, *_) = await found.consent.access_log.history(person, limit=1)
    await complaints.submit(found, person, entry, "Saya tidak pernah meminta ini.")
    await found.staff.appoint(person, Role.OFFICER, now, by="test", agency="dinkes")
    await found.consent.freezes.freeze(person)
    await found.accounts.passkeys.add(Passkey("k" * 22, person, b"credential", b"key", 0, synced=False, transports=(), created_at=now))
    await found.accounts.put(person, Value(label_claim("k" * 22), "Kunci"), now)


async def test_nothing_of_an_erased_person_opens_any_more(provider: Provider) -> None:
    found = provider.services
    tokens = await provider.tokens()
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    siti = await account_of(provider)
    await _known_everywhere(provider, siti.person)
    kept = await found.accounts.sealed(siti.person)  # what a thief copied before
    before = (await found.consent.access_log.status()).size
    await erasure.erase(found, siti.person)
    with pytest.raises(PersonErased):
        await found.consent.disclosure.to_self(siti.person, kept)
    with pytest.raises(KeyDestroyed):
        await found.keyring.subject_keys.data_key(siti.person, generation_of(kept[0].cell))
    assert await found.accounts.sealed(siti.person) == []
    assert (await provider.userinfo(tokens["access_token"])).status_code == 401
    with pytest.raises((ChainClosed, KeyDestroyed)):
        await found.consent.access_log.history(siti.person)
    assert (await found.consent.access_log.status()).size > before
    for table in metadata.sorted_tables:
        async with found.database.read() as connection:
            rows = (await connection.execute(sa.select(table))).all()
        named = [row for row in rows if siti.person in str(row)]
        assert len(named) == (1 if table.name == "accounts" else 0), table.name
    assert await found.consent.freezes.of(siti.person) is None
    assert await erasure.unready(found) == []


async def test_the_erased_are_told_at_their_old_addresses(provider: Provider) -> None:
    siti = await account_of(provider)
    await erasure.erase(provider.services, siti.person)
    told = await letters(provider)
    assert {letter.to for letter in told} == {provider.person().email, provider.person().phone}
    until = Formats("id").date(await erasure.backups_die(provider.services))
    assert all(f"tidak terbaca paling lambat {until}" in letter.text for letter in told)


async def test_older_backups_die_with_the_root_version_at_the_latest_one_lifetime_from_now(provider: Provider) -> None:
    """design.md §4: "that date is told in the erasure notice, since older backups die with it"."""
    found = provider.services
    made = (await found.keyring.store.roots.root_versions())[-1].created_at
    lifetime = dt.timedelta(seconds=found.settings.root_key_lifetime)
    assert await erasure.backups_die(found) == made + lifetime
    provider.clock.move(days=31)  # nobody rotated: the promise begins anew
    provider.clock.hold()
    assert await erasure.backups_die(found) == provider.clock() + lifetime
    assert any("root_key_lifetime" in finding.what for finding in await diagnosis._root(found))


async def test_an_erased_person_may_enrol_again_as_somebody_new(provider: Provider) -> None:
    siti = await account_of(provider)
    await erasure.erase(provider.services, siti.person)
    visitor = await provider.visitor()
    page = await visitor.get("/enrol")
    page = await visitor.submit(page, page.form("identifier"), name="Siti", birthdate="1990-03-12", identifier=provider.person().email)
    page = await visitor.submit(page, page.form("password"), password="kucing oranye tidur")
    code = (await letters(provider, provider.person().email))[-1].code
    assert (await visitor.submit(page, page.form("code"), code=code)).path == "/"


async def test_an_erasure_that_the_log_delays_is_finished_by_itself(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    found, siti = provider.services, await account_of(provider)
    append = AccessLog.append

    async def down(*_: Any, **__: Any) -> Any:
        raise LogUnavailable

    monkeypatch.setattr(AccessLog, "append", down)
    with pytest.raises(LogUnavailable):
        await erasure.erase(found, siti.person)
    left = await found.accounts.get(siti.person)
    assert left is not None
    assert left.state is AccountState.CLOSED  # nobody signs in, and nothing is lost yet
    assert await found.keyring.subject_keys.exists(siti.person)
    monkeypatch.setattr(AccessLog, "append", append)
    provider.clock.move(minutes=5)
    while await outbox(found).run_once():
        provider.clock.move(minutes=5)
    assert not await found.keyring.subject_keys.exists(siti.person)
    assert await found.accounts.sealed(siti.person) == []


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_lost_journal_is_noticed(provider: Provider) -> None:
    await erasure.erase(provider.services, (await account_of(provider)).person)
    provider.settings.erasure_journal_file.unlink()
    (reason,) = await erasure.unready(provider.services)
    assert "journal is older" in reason


async def test_erasing_twice_is_erasing_once(provider: Provider) -> None:
    found, siti = provider.services, await account_of(provider)
    line = await erasure.erase(found, siti.person)
    assert await erasure.erase(found, siti.person) == line


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("restored", [("idp", "keys"), ("idp",), ("keys",)])
async def test_a_backup_restored_from_before_is_noticed_and_yields_nothing_after_the_replay(
    filled_urls: dict[StoreName, str], restored: tuple[str, ...], tmp_path: Path
) -> None:
    settings, backup = settings_for(filled_urls, tmp_path / "data"), tmp_path / "backup"
    backup.mkdir()
    async with running(settings) as provider:
        found, siti = provider.services, await account_of(provider)
        await erasure.erase(found, (await account_of(provider, "dewi")).person)  # an erasure that the backup knows
        sealed = await found.accounts.sealed(siti.person)
        for name in restored:
            database = found.database if name == "idp" else found.keyring.database
            async with database.statement() as connection:
                await connection.execute(sa.text(f"VACUUM INTO '{backup / name}.sqlite3'"))
        await erasure.erase(found, siti.person)
    for name in restored:
        for leftover in (tmp_path / "data").glob(f"{name}.sqlite3*"):
            leftover.unlink()
        shutil.copy(backup / f"{name}.sqlite3", tmp_path / "data" / f"{name}.sqlite3")
    async with running(settings) as provider:
        found = provider.services
        assert await erasure.unready(found) == [
            f"restored from before an erasure: {', '.join(sorted(restored))}; run: idp accounts replay-erasures"
        ]
        ready = await (await provider.client()).get("/readyz")
        assert (ready.status_code, "replay-erasures" in ready.text) == (503, True)
        assert await erasure.replay(found) == 1
        assert await erasure.unready(found) == []
        assert await found.accounts.sealed(siti.person) == []
        with pytest.raises(KeyDestroyed):
            await found.keyring.subject_keys.data_key(siti.person, generation_of(sealed[0].cell))


def test_a_torn_last_line_of_the_journal_never_counted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "erasure.journal")
    first = journal.begin("p1", NOON)
    journal.entered(first, 7, b"chain", 12)
    with (tmp_path / "erasure.journal").open("ab") as file:
        file.write(b'{"n": 3, "person": "p')
    assert journal.read() == [Erased(1, "p1", Closed(7, b"chain", 12))]
    assert journal.begin("p2", NOON) == Erased(3, "p2")
    assert journal.begin("p2", NOON) == Erased(3, "p2")
    assert [erased.line for erased in journal.read()] == [1, 3]


def test_a_damaged_line_of_the_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / "erasure.journal").write_bytes(b'{"n": 1, "person": "p1"}\nxx\n{"n": 3, "person": "p2"}\n')
    with pytest.raises(JournalBroken, match="line 2"):
        Journal(tmp_path / "erasure.journal").read()


async def test_a_position_never_goes_back(stores: dict[StoreName, Database]) -> None:
    for database in stores.values():
        position = JournalPosition(database)
        assert await position.read() == 0
        await position.advance(5)
        await position.advance(3)
        assert await position.read() == 5

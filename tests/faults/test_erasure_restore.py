"""A store restored from before an erasure: the process itself refuses the person, and the replay leaves a log that verifies."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from consent.audit import verify_live
from consent.errors import PersonErased
from idp.accounts.records import Account, Identifier, IdentifierKind
from idp.protocol import erasure
from keys.errors import KeyDestroyed
from tests.support.running import running, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from idp.protocol.services import Services
    from keys.database import Database, StoreName
    from tests.support.running import Provider

CLAIMS = {"scope": "openid profile email offline_access", "prompt": "consent"}


class Backup:
    """A copy of a whole store, row by row, put back by its owner; on either database."""

    def __init__(self, tables: sa.MetaData, rows: dict[str, list[dict[str, Any]]]) -> None:
        self._tables = tables
        self._rows = rows

    @classmethod
    async def of(cls, database: Database) -> Backup:
        tables = sa.MetaData()
        async with database.read() as connection:
            await connection.run_sync(lambda sync: tables.reflect(sync, schema=None))
            rows = {t.name: [dict(row) for row in (await connection.execute(sa.select(t))).mappings()] for t in tables.sorted_tables}
        return cls(tables, rows)

    async def put_back(self, database: Database) -> None:
        async with database.transaction() as transaction:
            await _drop_triggers(transaction.connection, postgresql=database.dialect == "postgresql")
            for table in reversed(self._tables.sorted_tables):
                await transaction.execute(sa.delete(table))
            for table in self._tables.sorted_tables:
                if self._rows[table.name]:
                    await transaction.connection.execute(sa.insert(table), self._rows[table.name])
            await transaction.commit()


async def _drop_triggers(connection: Any, *, postgresql: bool) -> None:
    triggers = (
        "SELECT format('%I ON %I', tgname, relname) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid "
        "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
        if postgresql
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    for trigger in (await connection.execute(sa.text(triggers.replace("::", "\\:\\:")))).scalars().all():
        await connection.execute(sa.text(f"DROP TRIGGER {trigger}"))


def stores_of(found: Services) -> dict[str, Database]:
    return {"idp": found.database, "consent": found.consent.database, "keys": found.keyring.database}


async def account_of(provider: Provider, key: str = "siti") -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def verified(found: Services) -> list[str]:
    async def closings() -> Any:
        return await erasure.closings(found)

    keys = found.keyring.subject_keys.every_log_key()
    verdict, _ = await verify_live(found.consent.database, keys, closings=closings)
    return [str(problem) for problem in verdict.problems]


@contextlib.asynccontextmanager
async def restored(urls: dict[StoreName, str], folder: Path, *names: str) -> AsyncIterator[tuple[Provider, Account, dict[str, Any]]]:
    """A provider whose named stores were put back to before Siti's erasure; with her account as it was, and her tokens."""
    settings = settings_for(urls, folder)
    settings.data_dir.mkdir(exist_ok=True)
    async with running(settings) as provider:
        found = provider.services
        await erasure.erase(found, (await account_of(provider, "dewi")).person)  # an erasure that the backup knows
        tokens = await provider.tokens(**CLAIMS)
        assert (await provider.userinfo(tokens["access_token"])).status_code == 200
        siti = await account_of(provider)
        backups = {name: await Backup.of(stores_of(found)[name]) for name in names}
        await erasure.erase(found, siti.person)
        assert await verified(found) == []
        for name in names:
            await backups[name].put_back(stores_of(found)[name])
    async with running(settings) as provider:
        yield provider, siti, tokens


async def test_an_erased_person_is_refused_by_the_process_and_others_are_served(filled_urls: dict[StoreName, str], tmp_path: Path) -> None:
    async with restored(filled_urls, tmp_path / "data", "idp", "consent", "keys") as (provider, siti, tokens):
        found = provider.services
        sealed = await found.accounts.sealed(siti.person)
        assert sealed  # everything is there again …
        with pytest.raises(PersonErased):
            await found.consent.disclosure.to_self(siti.person, sealed)
        with pytest.raises(PersonErased):
            await found.consent.disclosure.to_courier(siti.person, sealed[0])
        size = (await found.consent.access_log.status()).size
        assert (await provider.userinfo(tokens["access_token"])).status_code == 503  # … and nothing of it leaves
        assert (await provider.refresh(tokens["refresh_token"])).status_code == 503
        introspected = await (await provider.client()).post(
            "/introspect", data={"token": tokens["access_token"]}, auth=provider.application().auth
        )
        assert introspected.status_code == 503
        assert (await found.consent.access_log.status()).size == size
        others = await provider.tokens(provider.person("budi"))
        assert (await provider.userinfo(others["access_token"])).status_code == 200


async def test_an_erased_person_cannot_sign_in_and_is_told_whom_to_ask(filled_urls: dict[StoreName, str], tmp_path: Path) -> None:
    async with restored(filled_urls, tmp_path / "data", "idp", "consent", "keys") as (provider, _, _tokens):
        visitor = await provider.visitor()
        page = await visitor.get("/login")
        siti = provider.person()
        page = await visitor.submit(page, page.form("password"), identifier=siti.email, password=siti.password)
        assert (page.status, "Akun ini sudah dihapus" in page.text) == (503, True)
        assert (await visitor.get("/me/data")).path == "/login"
        (reason,) = await erasure.unready(provider.services)
        assert "idp accounts replay-erasures" in reason


@pytest.mark.parametrize("names", [("consent",), ("idp", "consent", "keys"), ("keys",), ("idp", "keys"), ("consent", "keys")])
async def test_the_replay_leaves_nothing_of_the_person_and_a_log_that_verifies(
    filled_urls: dict[StoreName, str], tmp_path: Path, names: tuple[str, ...]
) -> None:
    async with restored(filled_urls, tmp_path / "data", *names) as (provider, siti, _):
        found = provider.services
        assert await erasure.unready(found) != []
        if names == ("consent",):
            assert any("do not open" in problem for problem in await verified(found))
        assert await erasure.replay(found) == 1
        assert await erasure.unready(found) == []
        assert await verified(found) == []
        assert await found.accounts.sealed(siti.person) == []
        with pytest.raises(KeyDestroyed):
            await found.keyring.subject_keys.log_key(siti.person)
        assert await erasure.replay(found) == 0
        assert await verified(found) == []


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_running_process_learns_of_an_erasure_elsewhere(provider: Provider) -> None:
    found, siti = provider.services, await account_of(provider)
    sealed = await found.accounts.sealed(siti.person)
    erasure.journal(found).begin(siti.person, found.clock())
    await found.erased.refresh()
    with pytest.raises(PersonErased):
        await found.consent.disclosure.to_self(siti.person, sealed)
    found.settings.erasure_journal_file.unlink()
    await found.erased.refresh()
    assert siti.person in found.erased  # a journal that is lost takes nobody back

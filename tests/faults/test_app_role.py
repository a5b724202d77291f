"""design.md §3 on PostgreSQL: the server's role has no DDL and cannot change a written entry, and the whole journey works with it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError

from consent.signer import SignerRefused
from idp import provisioning
from idp.accounts.records import Identifier, IdentifierKind
from idp.demo.people import BUDI
from idp.housekeeping import sweep
from idp.protocol import erasure
from keys.database import Database
from migrations.roles import RoleRefused, may_change_entries
from migrations.standing import NoRights, require
from tests.support.running import running, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from keys.database import StoreName

pytestmark = pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.postgresql)])


async def _run(url: str, *statements: str) -> None:
    database = Database.open(url, pool_size=1)
    try:
        async with database.statement() as connection:
            for statement in statements:
                await connection.execute(sa.text(statement))
    finally:
        await database.close()


async def _may_change_entries(url: str) -> bool:
    database = Database.open(url, pool_size=1)
    try:
        return await may_change_entries(database)
    finally:
        await database.close()


@pytest.fixture
async def app_urls(filled_urls: dict[StoreName, str], tmp_path: Path) -> AsyncIterator[dict[StoreName, str]]:
    """Filled stores as the server's role reaches them, after `database upgrade --app-role`."""
    role = f"app_{uuid4().hex[:12]}"
    await _run(filled_urls["idp"], f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    await provisioning.upgrade(settings_for(filled_urls, tmp_path / "owner"), role)
    yield {
        store: make_url(url).set(username=role, password="x").render_as_string(hide_password=False) for store, url in filled_urls.items()
    }
    await _run(filled_urls["idp"], f"DROP OWNED BY {role}", f"DROP ROLE {role}")


async def test_the_whole_journey_works_as_the_app_role(app_urls: dict[StoreName, str], tmp_path: Path) -> None:
    settings = settings_for(app_urls, tmp_path / "data")
    settings.data_dir.mkdir()
    async with running(settings, background=True) as provider:
        found = provider.services
        tokens = await provider.tokens(scope="openid profile email offline_access", prompt="consent")
        assert (await provider.userinfo(tokens["access_token"])).status_code == 200
        assert (await provider.refresh(tokens["refresh_token"])).status_code == 200
        (siti,) = await found.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person().email))
        await erasure.erase(found, siti.person)
        assert (await provider.userinfo(tokens["access_token"])).status_code == 401
        async with found.consent.database.read() as connection:
            named = "SELECT count(*) FROM log_entries WHERE action = 'erase' AND subject_ref IS NOT NULL"
            assert (await connection.execute(sa.text(named))).scalar_one() == 0  # the owner's function forgot it
        provider.clock.move(days=400)
        assert await sweep(found) > 0
        assert found.consent.signer is not None
        with contextlib.suppress(SignerRefused):  # the embedded signer was faster
            await found.consent.signer.sign_once()
        status = await found.consent.access_log.status()
        assert (status.signed is not None and status.signed.size, status.in_doubt) == (status.size, None)


VICTIM = "(SELECT subject_ref FROM log_entries WHERE action <> 'erase' AND subject_ref IS NOT NULL ORDER BY idx LIMIT 1)"
ERASE = "(SELECT max(idx) FROM log_entries WHERE action = 'erase')"
FORGED = (
    "INSERT INTO log_entries (idx, time, action, leaf, record, nonce_a, nonce_s, closes) "
    f"SELECT size + 1, 0, 'erase', '', '', '', '', {VICTIM} FROM log_head"
)
PRETENDED_HEAD = ("CREATE TEMPORARY TABLE log_head AS SELECT 1000000 AS size",)
PRETENDED_CHAINS = ("CREATE TEMPORARY TABLE log_chains AS SELECT * FROM log_chains", *PRETENDED_HEAD)


async def test_no_chain_is_blanked_by_the_erase_entry_of_another(app_urls: dict[StoreName, str], tmp_path: Path) -> None:
    """The role may move chains and add rows; the function wants the entry that names this very chain, and stands in the log."""
    async with running(settings_for(app_urls, tmp_path / "data"), background=False) as provider:
        found = provider.services
        tokens = await provider.tokens(scope="openid profile email", prompt="consent")
        assert (await provider.userinfo(tokens["access_token"])).status_code == 200
        (budi,) = await found.accounts.find(Identifier(IdentifierKind.EMAIL, BUDI.email))
        await erasure.erase(found, budi.person)
        named = sa.text("SELECT count(*) FROM log_entries WHERE subject_ref IS NOT NULL")
        async with found.consent.database.read() as connection:
            before = (await connection.execute(named)).scalar_one()
        url = app_urls["consent"]
        await _run(url, f"UPDATE log_chains SET closed_by = {ERASE} WHERE subject_ref = {VICTIM}", f"SELECT log_forget({ERASE})")
        await _run(url, FORGED, f"UPDATE log_chains SET closed_by = {ERASE} WHERE subject_ref = {VICTIM}")
        for before_ in ((), PRETENDED_HEAD, PRETENDED_CHAINS):
            with pytest.raises(DBAPIError, match="not the erase entry"):
                await _run(url, *before_, f"SELECT log_forget({ERASE})")
        async with found.consent.database.read() as connection:
            assert (await connection.execute(named)).scalar_one() == before > 0


FORBIDDEN: tuple[tuple[StoreName, str], ...] = (
    ("consent", "UPDATE log_entries SET action = action"),
    ("consent", "DELETE FROM log_entries"),
    ("consent", "TRUNCATE log_entries"),
    ("consent", "ALTER TABLE log_entries DISABLE TRIGGER ALL"),
    ("consent", "DROP TRIGGER log_entries_no_update ON log_entries"),
    ("consent", "UPDATE log_tiles SET root = root"),
    ("consent", "DELETE FROM log_tiles"),
    ("consent", "UPDATE log_bundles SET n = n"),
    ("consent", "DELETE FROM log_bundles"),
    ("consent", "INSERT INTO log_head (id, size, edge, last_time) VALUES (1, 0, '', 0)"),
    ("consent", "DELETE FROM log_head"),
    ("consent", "DELETE FROM log_chains"),
    ("consent", "DELETE FROM log_checkpoints"),
    ("consent", "UPDATE consent_events SET kind = kind"),
    ("consent", "DELETE FROM consent_events"),
    ("consent", "UPDATE purpose_versions SET content = content"),
    ("consent", "UPDATE alembic_version SET version_num = version_num"),
    ("consent", "CREATE TABLE mine (id int)"),
    ("consent", "CREATE OR REPLACE FUNCTION log_only_grows() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"),
    ("idp", "DROP TABLE accounts"),
    ("idp", "ALTER TABLE accounts ADD COLUMN x int"),
    ("idp", "CREATE TABLE mine (id int)"),
    ("idp", "DELETE FROM alembic_version"),
    ("keys", "DELETE FROM alembic_version"),
    ("keys", "CREATE INDEX mine ON data_keys (person)"),
)


async def test_the_length_of_the_log_never_goes_back(app_urls: dict[StoreName, str]) -> None:
    """Whoever moved it for a moment, to let a row outside the log count, would leave a head that the tree contradicts."""
    url = app_urls["consent"]
    await _run(url, "UPDATE log_head SET size = size, last_time = last_time")
    for back in ("size = size - 1", "size = 0"):
        with pytest.raises(DBAPIError, match="log_head only grows"):
            await _run(url, "UPDATE log_head SET size = size + 2", f"UPDATE log_head SET {back}")


async def test_what_the_app_role_must_not_do_is_refused(app_urls: dict[StoreName, str]) -> None:
    for store, statement in FORBIDDEN:
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            await _run(app_urls[store], statement)


async def test_a_role_on_which_grants_have_no_effect_is_refused(filled_urls: dict[StoreName, str], tmp_path: Path) -> None:
    settings = settings_for(filled_urls, tmp_path)
    with pytest.raises(RoleRefused, match="CREATE ROLE"):
        await provisioning.upgrade(settings, "nobody_there")
    with pytest.raises(RoleRefused, match="superuser"):
        await provisioning.upgrade(settings, make_url(filled_urls["idp"]).username)


async def test_a_role_without_rights_is_told_so_and_not_that_nothing_was_migrated(
    app_urls: dict[StoreName, str], filled_urls: dict[StoreName, str]
) -> None:
    role = make_url(app_urls["idp"]).username
    for statement in ("REVOKE SELECT ON alembic_version FROM {}", "REVOKE ALL ON SCHEMA idp FROM {}"):
        await _run(filled_urls["idp"], statement.format(role))
        database = Database.open(app_urls["idp"], pool_size=1)
        with pytest.raises(NoRights, match=f"the role {role} has no rights in the idp store") as refused:
            await require("idp", database)
        assert refused.value.mend == f"idp database upgrade --url OWNER --app-role {role}"
        await database.close()


async def test_rights_given_by_hand_are_taken_back(
    app_urls: dict[StoreName, str], filled_urls: dict[StoreName, str], tmp_path: Path
) -> None:
    role = make_url(app_urls["idp"]).username
    assert not await _may_change_entries(app_urls["consent"])
    await _run(filled_urls["consent"], f"GRANT ALL ON log_entries TO {role}")
    assert await _may_change_entries(app_urls["consent"])
    await provisioning.upgrade(settings_for(filled_urls, tmp_path), role)
    with pytest.raises(ProgrammingError, match="permission denied"):
        await _run(app_urls["consent"], "DELETE FROM log_entries")

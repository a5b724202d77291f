"""docs/operate.md, PostgreSQL: its roles, word for word, none a superuser: an upgrade works, the program lives, the rest is refused."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from idp.accounts.records import Identifier, IdentifierKind
from idp.protocol import erasure
from keys.database import Database, store_urls
from migrations.roles import grant
from migrations.upgrade import upgrade
from tests.support import running as support

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keys.database import StoreName

pytestmark = pytest.mark.postgresql

DOCUMENT = Path(__file__).parents[2] / "docs" / "operate.md"


def _documented() -> list[str]:
    """Give the statements of the document's SQL block."""
    block = re.search(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return [statement.strip() for statement in block[1].split(";") if statement.strip()]


async def _run(url: str, *statements: str) -> None:
    database = Database.open(url, pool_size=1)
    try:
        async with database.statement() as connection:
            for statement in statements:
                await connection.execute(sa.text(statement))
    finally:
        await database.close()


async def _upgrade(urls: dict[StoreName, str], app_role: str) -> None:
    for store, url in urls.items():
        database = Database.open(url, pool_size=1)
        try:
            await upgrade(store, database)
            await grant(store, database, app_role)
        finally:
            await database.close()


@pytest.fixture
def app_urls(postgres_url: str) -> Iterator[dict[StoreName, str]]:
    """URLs of three stores as the program's role sees them, made and migrated as the document says; under names of their own."""
    mark = uuid4().hex[:12]
    asyncio.run(_run(postgres_url, *(statement.replace("gerbang", f"g{mark}") for statement in _documented())))
    server = make_url(postgres_url).set(database=f"g{mark}")

    def url(role: str, password: str) -> str:
        return server.set(username=f"g{mark}_{role}", password=password).render_as_string(hide_password=False)

    asyncio.run(_upgrade(store_urls(url("owner", "choose-one"), None, None), f"g{mark}_app"))
    yield store_urls(url("app", "choose-another"), None, None)
    asyncio.run(_run(postgres_url, f"DROP DATABASE g{mark} WITH (FORCE)", f"DROP ROLE g{mark}_owner", f"DROP ROLE g{mark}_app"))


async def test_the_program_lives_with_the_documented_rights_from_sign_in_to_erasure(app_urls: dict[StoreName, str], tmp_path: Path) -> None:
    await support.fill(app_urls, tmp_path)
    async with support.running(support.settings_for(app_urls, tmp_path), background=True) as provider:
        tokens = await provider.tokens()
        assert (await provider.userinfo(tokens["access_token"])).json()["email"] == provider.person().email
        assert (await provider.refresh(tokens["refresh_token"])).status_code == 200
        found = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person().email))
        await erasure.erase(provider.services, found[0].person)
        assert not await erasure.unready(provider.services)
        assert (await provider.userinfo(tokens["access_token"])).status_code == 401

"""Opening the keyring: what several processes make together is one thing, and a wrong root key is recognised at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from keys.custody import RootKeys
from keys.database import Database
from keys.errors import RootKeyWrong
from tests.support.keyrings import open_keyring, random_root

if TYPE_CHECKING:
    from pathlib import Path

    from keys.database import StoreName

FAST = ("ES256", "EdDSA")


async def test_keyrings_opened_together_share_every_secret_and_signing_key(database_urls: dict[StoreName, str]) -> None:
    databases = [Database.open(database_urls["keys"]) for _ in range(4)]
    rings = await asyncio.gather(*(open_keyring(database, algorithms=FAST) for database in databases))
    assert len({ring.named_secret("forms") for ring in rings}) == 1
    assert len({ring.named_secret("links") for ring in rings}) == 1
    assert rings[0].named_secret("forms") != rings[0].named_secret("links")
    assert len({ring.digests.digest("code", "x") for ring in rings}) == 1
    assert len({ring.pairwise.subject("s", "p") for ring in rings}) == 1
    assert len({ring.blind_index.index("nik", "1") for ring in rings}) == 1
    for ring in rings:
        await ring.signing.refresh()
    assert len({tuple(key["kid"] for key in ring.signing.jwks()["keys"]) for ring in rings}) == 1
    assert len(rings[0].signing.jwks()["keys"]) == len(FAST)
    for ring, database in zip(rings, databases, strict=True):
        await ring.close()
        await database.close()


async def test_a_keyring_opened_again_is_the_same(stores: dict[StoreName, Database]) -> None:
    first = await open_keyring(stores["keys"], algorithms=FAST)
    second = await open_keyring(stores["keys"], algorithms=FAST)
    assert first.secrets.open("t", (), second.secrets.seal("t", (), b"x")) == b"x"
    assert first.signing.jwks() == second.signing.jwks()
    await first.close()
    await second.close()


async def test_another_root_key_is_recognised_at_open_and_named(stores: dict[StoreName, Database]) -> None:
    await (await open_keyring(stores["keys"], algorithms=FAST)).close()
    with pytest.raises(RootKeyWrong) as refused:
        await open_keyring(stores["keys"], random_root(), algorithms=FAST)
    assert refused.value.version == 1


async def test_a_missing_newer_root_version_is_named(stores: dict[StoreName, Database], tmp_path: Path) -> None:
    root = RootKeys.create_file(tmp_path / "root.key")
    before = (tmp_path / "root.key").read_text()
    await (await open_keyring(stores["keys"], root, algorithms=FAST)).close()
    ring = await open_keyring(stores["keys"], root, algorithms=FAST)
    root.add_version()
    await ring.adopt_root_version()
    await ring.close()
    with pytest.raises(RootKeyWrong, match="version 2 is missing") as refused:
        await open_keyring(stores["keys"], RootKeys.from_environment(before), algorithms=FAST)
    assert refused.value.version == 2


async def test_two_first_processes_with_different_root_keys_do_not_both_open(database_urls: dict[StoreName, str]) -> None:
    databases = [Database.open(database_urls["keys"]) for _ in range(2)]
    opened = await asyncio.gather(
        *(open_keyring(database, random_root(), algorithms=FAST) for database in databases), return_exceptions=True
    )
    assert sorted(isinstance(ring, RootKeyWrong) for ring in opened) == [False, True]
    for ring, database in zip(opened, databases, strict=True):
        if not isinstance(ring, BaseException):
            await ring.close()
        await database.close()


async def test_the_store_holds_no_secret_in_clear(stores: dict[StoreName, Database]) -> None:
    ring = await open_keyring(stores["keys"], algorithms=FAST)
    await ring.subject_keys.create("p1")
    secrets = [ring.named_secret("forms"), (await ring.subject_keys.data_key("p1")).secret]
    secrets += [key async for page in ring.subject_keys.every_log_key() for key in page.values()]
    assert len(secrets) == 3
    stored = b""
    async with stores["keys"].read() as connection:
        for table in ("named_secrets", "signing_keys", "subject_keys", "data_keys", "checkpoint_keys", "root_versions"):
            for row in await connection.execute(sa.text(f"SELECT * FROM {table}")):
                stored += b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert not any(secret in stored for secret in secrets)
    assert b'"d"' not in stored
    await ring.close()

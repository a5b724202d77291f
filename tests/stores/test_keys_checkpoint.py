"""The log signer's key: one for all processes, apart, and its public part known to everyone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from keys.checkpoint_keys import verify_signature
from keys.database import Database
from keys.errors import CheckpointKeyWrong, RootKeyLoose
from tests.support.keyrings import open_keyring

if TYPE_CHECKING:
    from pathlib import Path

    from keys.database import StoreName


@pytest.mark.parametrize("in_file", [True, False])
async def test_signers_that_start_together_get_one_key(database_urls: dict[StoreName, str], tmp_path: Path, *, in_file: bool) -> None:
    databases = [Database.open(database_urls["keys"]) for _ in range(3)]
    file = tmp_path / "checkpoint.key" if in_file else None
    rings = [await open_keyring(database, algorithms=("ES256",), checkpoint_key_file=file) for database in databases]
    assert await rings[0].log_key.public_key() is None
    keys = await asyncio.gather(*(ring.log_key.load() for ring in rings))
    assert len({key.public_key for key in keys}) == 1
    assert await rings[2].log_key.public_key() == keys[0].public_key
    signature = keys[0].sign(b"note")
    assert verify_signature(keys[1].public_key, b"note", signature)
    assert "_private" not in repr(keys[0])
    for ring, database in zip(rings, databases, strict=True):
        await ring.close()
        await database.close()


async def test_a_lost_foreign_or_loose_key_file_is_told(stores: dict[StoreName, Database], tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.key"
    ring = await open_keyring(stores["keys"], algorithms=("ES256",), checkpoint_key_file=file)
    await ring.log_key.load()
    assert file.stat().st_mode & 0o777 == 0o400
    file.chmod(0o640)
    with pytest.raises(RootKeyLoose):
        await ring.log_key.load()
    for text in ("A" * 43 + "\n", "nonsense"):
        file.write_text(text)
        file.chmod(0o400)
        with pytest.raises(CheckpointKeyWrong):
            await ring.log_key.load()
    file.unlink()
    with pytest.raises(CheckpointKeyWrong, match="no checkpoint key file"):
        await ring.log_key.load()
    unnamed = await open_keyring(stores["keys"], algorithms=("ES256",))
    with pytest.raises(CheckpointKeyWrong, match="none is named"):
        await unnamed.log_key.load()
    await unnamed.close()
    await ring.close()


@pytest.mark.parametrize("in_file", [True, False])
async def test_each_succession_has_a_key_of_its_own_beside_the_first(
    stores: dict[StoreName, Database], tmp_path: Path, *, in_file: bool
) -> None:
    file = tmp_path / "checkpoint.key" if in_file else None
    ring = await open_keyring(stores["keys"], algorithms=("ES256",), checkpoint_key_file=file)
    first = await ring.log_key.load()
    with pytest.raises(CheckpointKeyWrong, match="no checkpoint key of number 2"):
        await ring.log_key.load(2)
    second = await ring.log_key.make(2)
    assert second.public_key not in {first.public_key, None}
    assert (await ring.log_key.make(2)).public_key == (await ring.log_key.load(2)).public_key == second.public_key
    assert (await ring.log_key.load()).public_key == first.public_key
    assert await ring.log_key.public_key(2) == second.public_key
    assert (tmp_path / "checkpoint.key.2").exists() is in_file
    await ring.close()


def test_what_is_no_signature_or_key_does_not_verify() -> None:
    assert not verify_signature(bytes(32), b"m", bytes(64))
    assert not verify_signature(b"short", b"m", bytes(64))
    assert not verify_signature(bytes(32), b"m", b"short")

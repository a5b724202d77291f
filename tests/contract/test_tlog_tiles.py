"""C2SP tlog-tiles, tlog-checkpoint and signed-note, by an independent implementation: tlog-scales reads what we export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from tlog_scales import tiles as scales_tiles
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tlog import InclusionProofInvalid

from consent.access_log.public import PublicLog
from consent.signer import verifier_source
from consent.tiles import parse_number, parse_tile
from consent.verify import verify_folder
from tests.support.log import ORIGIN, LogHouse, grow, log_house
from tests.support.tampered_files import tampered, tamperings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["log_house"]
SIZES = (1, 2, 255, 256, 257, 65_536, 70_000)
REFUSALS = (ValueError, RuntimeError, IndexError, InvalidSignature, InclusionProofInvalid)
"""What tlog-scales raises for files that are wrong, absent, or too short, and for signatures."""
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


async def test_tlog_scales_verifies_our_export_at_every_kind_of_size(log_house: LogHouse) -> None:
    older: dict[int, bytes] = {}
    for size in SIZES:
        await grow(log_house.database, size)
        await log_house.signer.sign_once()
        verdict = await log_house.export_and_verify(f"export-{size}")
        assert verdict.holds, verdict.problems
        folder = log_house.folder / f"export-{size}"
        await require_served(log_house, folder)
        reader = TilesReader(LocalBackend(folder))
        found = reader.get_checkpoint()
        found.verify(Vkey.from_string((folder / "vkey").read_text().strip()))
        assert (found.origin, found.size) == ("id.example/log", size)
        assert reader.calculate_root_hash() == found.root_hash
        for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
            proof = reader.get_inclusion_proof(index, size)
            proof.check(scales_tiles.leaf_hash(reader.get_entry(index)), found.root_hash)
        for old, root in older.items():
            reader.get_consistency_proof(old, size).check(root, found.root_hash)
        older[size] = found.root_hash


def scales_verify(folder: Path, key: str) -> None:
    """Check every entry of an export with tlog-scales alone; it raises when one is not under the checkpoint that the key signed."""
    reader = TilesReader(LocalBackend(folder))
    head = reader.get_checkpoint()
    vkey = Vkey.from_string(key)
    if head.origin != vkey.name:
        raise ValueError("another log")
    head.verify(vkey)
    if reader.calculate_root_hash() != head.root_hash:
        raise ValueError("another root")
    for index in range(head.size):
        reader.get_inclusion_proof(index, head.size).check(scales_tiles.leaf_hash(reader.get_entry(index)), head.root_hash)


async def test_tlog_scales_refuses_every_tampering(log_house: LogHouse) -> None:
    await grow(log_house.database, 300)
    await log_house.signer.sign_once()
    await log_house.export_and_verify()
    folder, key = log_house.folder / "export", str(log_house.key)
    scales_verify(folder, key)
    for path, change in tamperings(folder).values():
        with tampered(folder, path, change), pytest.raises(REFUSALS):
            scales_verify(folder, key)
    scales_verify(folder, key)


async def require_served(house: LogHouse, folder: Path) -> None:
    """Demand that what is served over HTTP is the export, byte for byte, once it is public."""
    await house.execute("UPDATE log_checkpoints SET time = time - 60000000")
    await house.signer.sign_once()
    public = PublicLog(house.database, verifier_source(ORIGIN, house.checkpoint_keys))
    served = await public.checkpoint()
    assert served
    assert served.note == (folder / "checkpoint").read_text()
    assert await public.verifier_key() == house.key
    for file in (folder / "tile").rglob("*"):
        level, _, number = str(file.relative_to(folder / "tile")).partition("/")
        if file.is_file() and level == "entries":
            assert await public.bundle(*parse_number(number)) == file.read_bytes(), number
        elif file.is_file():
            assert await public.tile(parse_tile(level, number)) == file.read_bytes(), (level, number)


async def test_an_export_holds_exactly_the_files_of_the_specification(log_house: LogHouse) -> None:
    await grow(log_house.database, 257)
    await log_house.signer.sign_once()
    await log_house.export_and_verify()
    folder = log_house.folder / "export"
    assert {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} == {
        "checkpoint",
        "vkey",
        "records.jsonl",
        "records.csv",
        "tile/0/000",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/1",
    }
    assert (folder / "tile/0/000").stat().st_size == 256 * 32
    assert (folder / "tile/entries/000").stat().st_size == 256 * 67


async def test_an_older_checkpoint_is_a_prefix_of_the_newer_export(log_house: LogHouse) -> None:
    await grow(log_house.database, 100)
    await log_house.signer.sign_once()
    old = log_house.anchor.read()
    await grow(log_house.database, 300)
    await log_house.signer.sign_once()
    assert (await log_house.export_and_verify(since=old)).holds
    newer = log_house.anchor.read()
    await log_house.export_and_verify("again")
    (log_house.folder / "again" / "checkpoint").write_text(old or "")
    verdict = verify_folder(log_house.folder / "again", log_house.key, newer)
    assert "the older checkpoint has 300 entries, this log only 100" in [str(problem) for problem in verdict.problems]

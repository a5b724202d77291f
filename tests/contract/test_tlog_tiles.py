"""C2SP tlog-tiles, tlog-checkpoint and signed-note, by an independent implementation: tlog-scales reads what we export."""

from __future__ import annotations

import datetime as dt

import pytest
from tlog_scales import tiles as scales_tiles
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from consent.access_log import writer
from consent.access_log.leaf import prepared
from consent.access_log.writer import Prepared
from consent.verify import verify_folder
from tests.support.log import LogHouse, key_event, log_house

__all__ = ["log_house"]
TOLERANCE = dt.timedelta(seconds=5)
SIZES = (1, 2, 255, 256, 257, 512, 65793)
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


async def grow(house: LogHouse, size: int) -> None:
    """Append entries about nobody until there are `size`, in transactions larger than any batch."""
    record, _ = prepared(key_event())
    item = Prepared(key_event(), record, None, None, None, ())
    position = None
    while (have := (await house.log.status()).size) < size:
        async with house.database.transaction() as transaction:
            position = (await writer.write(transaction, [item] * min(size - have, 20000), position, TOLERANCE)).position
            await transaction.commit()


async def test_tlog_scales_verifies_our_export_at_every_kind_of_size(log_house: LogHouse) -> None:
    older: dict[int, bytes] = {}
    for size in SIZES:
        await grow(log_house, size)
        await log_house.signer.sign_once()
        verdict = await log_house.export_and_verify(f"export-{size}")
        assert verdict.holds, verdict.problems
        folder = log_house.folder / f"export-{size}"
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


async def test_an_export_holds_exactly_the_files_of_the_specification(log_house: LogHouse) -> None:
    await grow(log_house, 257)
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
    await grow(log_house, 100)
    await log_house.signer.sign_once()
    old = log_house.anchor.read()
    await grow(log_house, 300)
    await log_house.signer.sign_once()
    assert (await log_house.export_and_verify(since=old)).holds
    newer = log_house.anchor.read()
    await log_house.export_and_verify("again")
    (log_house.folder / "again" / "checkpoint").write_text(old or "")
    verdict = verify_folder(log_house.folder / "again", log_house.key, newer)
    assert "the older checkpoint has 300 entries, this log only 100" in [str(problem) for problem in verdict.problems]

"""What an operator, or whoever handles an export, may do to its files: each with the index that a verifier must name first."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, NamedTuple

from consent import merkle, tiles
from consent.access_log import leaf as leaves
from consent.export_lines import csv_line, json_line, parse_line
from consent.tiles import TileAddress
from tests.support import synthetic_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = 600
PLACE = 300


class Tampering(NamedTuple):
    """A change; `index` is what a verifier names first (None: the log as a whole), `said` a part of its sentence."""

    change: Callable[[Path], None]
    index: int | None
    said: str


def _edit_line(folder: Path, index: int, old: bytes, new: bytes) -> None:
    lines = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    assert old in lines[index]
    lines[index] = lines[index].replace(old, new, 1)
    (folder / "records.jsonl").write_bytes(b"".join(lines))


def _flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def record_edited(folder: Path) -> None:
    _edit_line(folder, PLACE, b"Aduan Warga", b"Pajak Kota.")


def record_time_edited(folder: Path) -> None:
    _edit_line(folder, PLACE, b'"time":"2026-11-24T02', b'"time":"2026-11-24T03')


def leaf_edited_everywhere(folder: Path) -> None:
    """The line and the bundle agree, the record does not open it."""
    entry = list(synthetic_log.entries(PLACE + 1))[PLACE].leaf
    forged = entry[:40] + bytes([entry[40] ^ 1]) + entry[41:]
    _edit_line(folder, PLACE, base64.b64encode(entry), base64.b64encode(forged))
    _flip(folder / tiles.bundle_path(PLACE // 256), (PLACE % 256) * 67 + 2 + 40)


def record_and_leaf_forged(folder: Path) -> None:
    """Line, sheet and bundle agree; the tiles and the root do not."""
    line = parse_line((folder / "records.jsonl").read_bytes().splitlines(keepends=True)[PLACE])
    record = {**line.record, "client_name": "Pajak Kota"}
    written = leaves.canonical(record)
    entry = line.leaf[:33] + leaves.access_commitment(line.nonce_a, written)
    _replace(folder / "records.jsonl", PLACE, json_line(PLACE, entry, line.nonce_a, None, written))
    _replace(folder / "records.csv", PLACE + 1, csv_line(PLACE, entry, line.nonce_a, record).encode())
    bundle = folder / tiles.bundle_path(PLACE // 256)
    bundle.write_bytes(bundle.read_bytes().replace(line.leaf, entry))


def _replace(file: Path, number: int, line: bytes) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    lines[number] = line
    file.write_bytes(b"".join(lines))


def tile_bit(folder: Path) -> None:
    _flip(folder / tiles.tile_path(TileAddress(0, PLACE // 256)), (PLACE % 256) * 32 + 5)


def upper_tile_bit(folder: Path) -> None:
    _flip(folder / tiles.tile_path(TileAddress(1, 0, SIZE // 256)), 32 + 5)


def tile_missing(folder: Path) -> None:
    (folder / tiles.tile_path(TileAddress(0, 1))).unlink()


def bundle_missing(folder: Path) -> None:
    (folder / tiles.bundle_path(1)).unlink()


def bundle_short(folder: Path) -> None:
    bundle = folder / tiles.bundle_path(1)
    bundle.write_bytes(bundle.read_bytes()[: -2 * 67])


def deleted(folder: Path) -> None:
    """A line, its row and its leaf are gone, those after it move up."""
    for name, shift in (("records.jsonl", 0), ("records.csv", 1)):
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        del lines[PLACE + shift]
        (folder / name).write_bytes(b"".join(lines))


def reordered(folder: Path) -> None:
    for name, shift in (("records.jsonl", 0), ("records.csv", 1)):
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        at = PLACE + shift
        lines[at : at + 2] = reversed(lines[at : at + 2])
        (folder / name).write_bytes(b"".join(lines))


def truncated(folder: Path) -> None:
    lines = (folder / "records.jsonl").read_bytes()
    (folder / "records.jsonl").write_bytes(lines[: lines.index(b'{"index":%d,' % PLACE) + 40])


def appended(folder: Path) -> None:
    with (folder / "records.jsonl").open("ab") as lines:
        lines.write(b'{"index":600}\n')


def row_edited(folder: Path) -> None:
    rows = (folder / "records.csv").read_bytes().splitlines(keepends=True)
    rows[PLACE + 1] = rows[PLACE + 1].replace(b"Aduan Warga", b"Pajak Kota.")
    (folder / "records.csv").write_bytes(b"".join(rows))


def said_to_be_about_nobody(folder: Path) -> None:
    nonce = base64.b64encode(bytes(32))
    _edit_line(folder, PLACE, b',"record":', b',"nonce_s":"' + nonce + b'","record":')


def foreign_key(folder: Path) -> None:
    """The operator signs with another key of the same name, as whoever lost the first one could."""
    note = (folder / "checkpoint").read_text()
    head, _, blob = note.rstrip("\n").rpartition(" ")
    signature = bytearray(base64.b64decode(blob))
    signature[0] ^= 1
    (folder / "checkpoint").write_text(f"{head} {base64.b64encode(signature).decode()}\n")


def signature_bit(folder: Path) -> None:
    note = (folder / "checkpoint").read_text()
    head, _, blob = note.rstrip("\n").rpartition(" ")
    signature = bytearray(base64.b64decode(blob))
    signature[20] ^= 1
    (folder / "checkpoint").write_text(f"{head} {base64.b64encode(signature).decode()}\n")


def root_of_others(folder: Path) -> None:
    """A rightly signed checkpoint, of other entries."""
    hashes = [merkle.leaf_hash(made.leaf) for made in synthetic_log.entries(SIZE)]
    (folder / "checkpoint").write_text(synthetic_log.note(SIZE, merkle.Edge().extend(reversed(hashes)).root))


TAMPERINGS = {
    change.change.__name__: change
    for change in (
        Tampering(record_edited, PLACE, "AC does not open"),
        Tampering(record_time_edited, PLACE, "AC does not open"),
        Tampering(leaf_edited_everywhere, PLACE, "AC does not open"),
        Tampering(record_and_leaf_forged, PLACE, "does not have the hash"),
        Tampering(tile_bit, PLACE, "does not have the hash"),
        Tampering(upper_tile_bit, 256, "entries 256 to 511 do not have the hash"),
        Tampering(tile_missing, 256, "tile/0/001 is missing"),
        Tampering(bundle_missing, 256, "tile/entries/001 is missing"),
        Tampering(bundle_short, 510, "holds 254 entries instead of 256"),
        Tampering(deleted, PLACE, "has entry 301 in its place"),
        Tampering(reordered, PLACE, "has entry 301 in its place"),
        Tampering(truncated, PLACE, "not a line of records.jsonl"),
        Tampering(appended, SIZE, "goes on beyond the checkpoint"),
        Tampering(row_edited, PLACE, "records.csv says something else"),
        Tampering(said_to_be_about_nobody, PLACE, "does not open so"),
        Tampering(foreign_key, None, "no signature of the key"),
        Tampering(signature_bit, None, "the signature on the checkpoint is not the key's"),
        Tampering(root_of_others, None, "do not have the root"),
    )
}


def lines_of(folder: Path) -> list[dict[str, object]]:
    """Give the lines of records.jsonl."""
    return [json.loads(line) for line in (folder / "records.jsonl").read_bytes().splitlines()]

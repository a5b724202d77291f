"""`idp audit verify`: check an exported log offline, from the entries up to the signed checkpoint, naming what is wrong and where.

Checks: each record opens its entry's AC; times never go back; no disclosure is about nobody; every bundle and tile is what the entries
make; the root is the checkpoint's, which bears the signature of the key that the auditor holds; an older checkpoint is a prefix of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING

from consent import checkpoint, tiles
from consent.findings import Findings, Verdict
from consent.tree_walk import Tile, TreeWalk
from consent.verify_bulk import entries_of, is_tile
from consent.verify_openings import Openings
from consent.verify_records import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from consent.checkpoint import Checkpoint, VerifierKey
    from consent.verify_succession import Successions


class Unreadable(Exception):
    """The folder is not an export, or a note given to compare with is not one: nothing was checked."""


def _silent(_done: int, _all: int) -> None:
    """Tell nobody."""


@dataclasses.dataclass(frozen=True, slots=True)
class Extras:
    """What an auditor may hold beside the export and the key.

    `since`: an older checkpoint of the same log, kept since. `openings`: a file with subject openings (`consent.verify_openings`);
    `complete`: they are everybody's. `progress` is told (entries checked, in all).
    """

    since: str | None = None
    openings: Path | None = None
    complete: bool = False
    progress: Callable[[int, int], None] = _silent


def verify_folder(folder: Path, key: VerifierKey, since: str | None = None, extras: Extras | None = None) -> Verdict:
    """Verify an export. `since` is short for the same member of `extras`.

    The checkpoint must be signed by `key`, or by one that follows from it by planned changes that the log tells of.

    Raises: Unreadable.
    """
    extras = extras or Extras(since)
    findings = Findings()
    try:
        note = (folder / "checkpoint").read_text(encoding="utf-8")
        head = checkpoint.parse(note)
        walk = TreeWalk([head.size, *([checkpoint.parse(extras.since).size] if extras.since is not None else [])])
        with contextlib.ExitStack() as files:
            lines, sheet = (files.enter_context((folder / name).open("rb")) for name in ("records.jsonl", "records.csv"))
            opened = files.enter_context(extras.openings.open("rb")) if extras.openings else None
            openings = Openings(opened, findings.add, complete=extras.complete)
            records = Records(lines, sheet, findings, openings)
            _walk(folder, head.size, walk, records, extras.progress)
            accounts = openings.end(walk.size) if opened else None
        _heads(head, walk, findings)
        for problem in _signature_problems(note, key, extras.since, records.followed, walk):
            findings.add(-1, problem)
    except (OSError, UnicodeDecodeError, checkpoint.NoteInvalid) as error:
        raise Unreadable(str(error)) from error
    return Verdict(head.size, head.root, head.origin, tuple(findings.found), findings.more, tuple(records.followed.found), accounts)


def _signature_problems(note: str, key: VerifierKey, since: str | None, followed: Successions, walk: TreeWalk) -> list[str]:
    """Raises: NoteInvalid when the older checkpoint is none of this log."""
    followed.check(walk.roots)
    older = None if since is None else followed.older_problem(since, key, walk.roots, checkpoint.parse(note).size)
    return [problem for problem in (followed.head_problem(note, key), older) if problem]


def _walk(folder: Path, size: int, walk: TreeWalk, records: Records, progress: Callable[[int, int], None]) -> None:
    findings = records.findings
    for n in range(-(-size // tiles.WIDTH)):
        width = min(tiles.WIDTH, size - n * tiles.WIDTH)
        entries = _bundle(folder, n, width, findings)
        records.check(n * tiles.WIDTH, entries, width)
        records.followed.mark(walk, n * tiles.WIDTH)
        if entries is None:
            return
        for tile in walk.add(entries):
            _compare(folder, tile, findings)
        progress(walk.size, size)
    for tile in walk.partial():
        _compare(folder, tile, findings)
    records.check_end(size)


def _bundle(folder: Path, n: int, width: int, findings: Findings) -> list[bytes] | None:
    """Read a bundle; without all of its entries nothing after it can be placed."""
    path = tiles.bundle_path(n, width)
    first = n * tiles.WIDTH
    try:
        bundle = (folder / path).read_bytes()
        entries = entries_of(bundle, width) or tiles.decode_bundle(bundle)
    except (FileNotFoundError, tiles.TileBroken) as error:
        findings.add(first, f"{path} is missing" if isinstance(error, FileNotFoundError) else f"{path}: {error}")
        return None
    if len(entries) != width:
        findings.add(first + min(len(entries), width), f"{path} holds {len(entries)} entries instead of {width}")
        return None
    return entries


def _compare(folder: Path, tile: Tile, findings: Findings) -> None:
    path = tiles.tile_path(tile.address)
    try:
        content = (folder / path).read_bytes()
        if is_tile(content, tile.hashes):
            return
        stored = tiles.decode_tile(content)
    except (FileNotFoundError, tiles.TileBroken) as error:
        findings.add(tile.first, f"{path} is missing" if isinstance(error, FileNotFoundError) else f"{path}: {error}")
        return
    compare_tile(tile, stored, findings)


def compare_tile(tile: Tile, stored: Sequence[bytes], findings: Findings) -> None:
    """Compare a stored tile with what the entries make, hash by hash; what only follows from an entry named already is not named again."""
    path = tiles.tile_path(tile.address)
    if len(stored) != len(tile.hashes):
        findings.add(tile.first, f"{path} holds {len(stored)} hashes instead of {len(tile.hashes)}")
    for number, (there, right) in enumerate(zip(stored, tile.hashes, strict=False)):
        first = tile.first + number * tile.step
        if there != right and (tile.step == 1 or not findings.within(first, first + tile.step)):
            about = "the entry does" if tile.step == 1 else f"entries {first} to {first + tile.step - 1} do"
            findings.add(first, f"{about} not have the hash that {path} holds at {number}")


def _heads(head: Checkpoint, walk: TreeWalk, findings: Findings) -> None:
    if walk.size == head.size and walk.edge.root != head.root:
        findings.add(-1, f"the {head.size} entries do not have the root of the signed checkpoint")

"""`idp audit verify`: check an exported log offline, from the entries up to the signed checkpoint, naming what is wrong and where.

Checks: each record opens its entry's AC; times never go back; no disclosure is about nobody; every bundle and tile is what the entries
make; the root is the checkpoint's, which bears the signature of the key that the auditor holds; an older checkpoint is a prefix of it.
"""

from __future__ import annotations

import bisect
import dataclasses
from typing import TYPE_CHECKING, BinaryIO, TextIO

from consent import checkpoint, export_lines, tiles
from consent.access_log import leaf as leaves
from consent.tree_walk import Tile, TreeWalk
from consent.verify_succession import Successions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from consent.checkpoint import Checkpoint, VerifierKey
    from consent.export_lines import Line
    from consent.succession import Succession

READS = frozenset({"disclose", "consult", "export"})
"""What is always about a person; under "none" it would be hidden from them."""
MOST = 20


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, and at which index; -1 when it concerns the log as a whole."""

    index: int
    what: str

    def __str__(self) -> str:
        return self.what if self.index < 0 else f"entry {self.index}: {self.what}"


@dataclasses.dataclass(slots=True)
class Findings:
    """The first problems by index, those of the whole log after them; the rest are only counted."""

    found: list[Problem] = dataclasses.field(default_factory=list)
    more: int = 0

    def add(self, index: int, what: str) -> None:
        """Note a problem."""
        bisect.insort(self.found, Problem(index, what), key=lambda problem: (problem.index < 0, problem))
        if len(self.found) > MOST:
            self.found.pop()
            self.more += 1

    def within(self, first: int, end: int) -> bool:
        """Whether a problem is known of one of these entries."""
        return any(first <= problem.index < end for problem in self.found)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """The result. `holds` only when there are no problems; problems of entries stand before those of the whole.

    `successions`: by which entries the log went on under a new key and origin, with what was lost; to be told, whether or not all holds.
    """

    size: int
    root: bytes
    origin: str
    problems: tuple[Problem, ...]
    more: int = 0
    successions: tuple[Succession, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether everything that was checked is as it must be."""
        return not self.problems

    @property
    def first_bad(self) -> int | None:
        """The lowest index that something is wrong with."""
        return next((problem.index for problem in self.problems if problem.index >= 0), None)


class Unreadable(Exception):
    """The folder is not an export, or a note given to compare with is not one: nothing was checked."""


def verify_folder(folder: Path, key: VerifierKey, since: str | None = None, progress: Callable[[int, int], None] | None = None) -> Verdict:
    """Verify an export. `since`: an older checkpoint of the same log, kept since. `progress` is told (entries checked, in all).

    The checkpoint must be signed by `key`, or by one that follows from it by planned changes that the log tells of.

    Raises: Unreadable.
    """
    findings = Findings()
    followed = Successions(findings.add)
    try:
        note = (folder / "checkpoint").read_text(encoding="utf-8")
        head = checkpoint.parse(note)
        walk = TreeWalk([head.size, *([checkpoint.parse(since).size] if since is not None else [])])
        with (folder / "records.jsonl").open("rb") as lines, _sheet(folder) as sheet:
            _walk(folder, head.size, walk, _Records(lines, sheet, findings, followed), progress or _silent)
        _heads(head, walk, findings)
        followed.check(walk.roots)
        problems = [followed.head_problem(note, key), None if since is None else followed.older_problem(since, key, walk.roots, head.size)]
    except (OSError, UnicodeDecodeError, checkpoint.NoteInvalid) as error:
        raise Unreadable(str(error)) from error
    for problem in problems:
        if problem:
            findings.add(-1, problem)
    return Verdict(head.size, head.root, head.origin, tuple(findings.found), findings.more, tuple(followed.found))


def _sheet(folder: Path) -> TextIO:
    return (folder / "records.csv").open(encoding="utf-8", newline="")


def _silent(_done: int, _all: int) -> None:
    """Tell nobody."""


def _walk(folder: Path, size: int, walk: TreeWalk, records: _Records, progress: Callable[[int, int], None]) -> None:
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
        entries = tiles.decode_bundle((folder / path).read_bytes())
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
        stored = tiles.decode_tile((folder / path).read_bytes())
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


class Order:
    """What must hold from one record to the next, and of each by itself."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._newest = ""

    def check(self, index: int, record: object, *, about_nobody: bool) -> None:
        """Check one record: its time is not before the one before, and a read is about somebody."""
        if not isinstance(record, dict):
            return
        time = str(record.get("time", ""))
        if time < self._newest:
            self._findings.add(index, f"its time {time} is before that of the entry before it, {self._newest}")
        self._newest = max(time, self._newest)
        if about_nobody and record.get("action") in READS:
            self._findings.add(index, f"a {record['action']} is recorded as being about nobody")


class _Records:
    """The lines of records.jsonl and records.csv, walked beside the bundles."""

    def __init__(self, lines: BinaryIO, sheet: TextIO, findings: Findings, followed: Successions) -> None:
        self.followed = followed
        self._lines = lines
        self._rows = _rows(sheet)
        self.findings = findings
        self._order = Order(findings)
        header = next(self._rows, "")
        if header != export_lines.csv_header():
            findings.add(-1, "records.csv does not begin with its column names")

    def check(self, first: int, entries: Sequence[bytes] | None, width: int) -> None:
        """Check the lines of one bundle; without its entries, only what lines say by themselves."""
        for index in range(first, first + width):
            line = self._lines.readline()
            if not line:
                self.findings.add(index, "records.jsonl ends before it")
                return
            try:
                opened = export_lines.parse_line(line)
            except export_lines.LineBroken as error:
                self.findings.add(index, f"records.jsonl: {error}")
                continue
            self._one(index, opened, entries[index - first] if entries else opened.leaf)

    def _one(self, index: int, line: Line, entry: bytes) -> None:
        found = self.findings
        if line.idx != index:
            found.add(index, f"records.jsonl has entry {line.idx} in its place")
        if line.leaf != entry:
            found.add(index, "the entry in the database is not the one in its bundle")
        elif len(entry) != leaves.LEAF_BYTES or entry[:1] != leaves.VERSION:
            found.add(index, "the leaf is not 0x01 and two hashes")
        if leaves.access_commitment(line.nonce_a, line.written) != entry[33:]:
            found.add(index, "the record is not the one that was recorded (AC does not open)")
        if line.nonce_s is not None and leaves.none_commitment(line.nonce_s, entry[33:]) != entry[1:33]:
            found.add(index, "it is said to be about nobody, but does not open so")
        self._order.check(index, line.record, about_nobody=line.nonce_s is not None)
        self.followed.see(index, line.record)
        if next(self._rows, None) != export_lines.csv_line(line.idx, line.leaf, line.nonce_a, line.record):
            found.add(index, "records.csv says something else than records.jsonl")

    def check_end(self, size: int) -> None:
        """Refuse lines beyond the checkpoint."""
        if self._lines.readline():
            self.findings.add(size, "records.jsonl goes on beyond the checkpoint")


def _rows(sheet: TextIO) -> Iterator[str]:
    """Give the rows of a sheet as they were written; a quoted cell may hold line breaks."""
    pending = ""
    for line in sheet:
        pending += line
        if pending.count('"') % 2 == 0:
            yield pending
            pending = ""
    if pending:
        yield pending

"""Checking a whole bundle of an export at once, when nothing is wrong with it. Pure but for two files.

Either everything about 256 entries and their lines is as an export writes it, or `holds` says no and nothing else: then the careful way
names what is wrong. Records of one service differ in little but their time, so what a record says is read once for each text around it.
"""

from __future__ import annotations

import binascii
import dataclasses
import hashlib
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from consent import export_lines, succession, tiles
from consent.access_log import leaf as leaves
from consent.access_log.opening import DELAYED
from consent.verify_openings import STATING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

READS = frozenset({"disclose", "consult", "export"})
"""What is always about a person; under "none" it would be hidden from them."""
ENTRY: Final = 2 + leaves.LEAF_BYTES
_LENGTH: Final = leaves.LEAF_BYTES.to_bytes(2, "big")
_NONCE: Final = 44
_RECORD: Final = b'","record":'
_NONE: Final = b'","nonce_s":"'
_TIME: Final = b'"time":"'
_PLACE: Final = b"0000-00-00T00:00:00.000000Z"
_TIME_LENGTH: Final = len(_PLACE)
_ACCESS: Final = b"gerbang-log/access/v1\x00"
_is_time = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z").fullmatch


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """What the records with one text around their time say: their cells after the time, and whether they are about somebody for certain."""

    cells: str
    read: bool


class Passed(NamedTuple):
    """A bundle in which all holds: the time of its last record, and how many entries are about nobody."""

    newest: str
    nobody: int


class Unusual(Exception):
    """The careful way must look at it."""


def entries_of(bundle: bytes, width: int) -> list[bytes] | None:
    """Split a bundle of `width` leaves; None when it is anything else."""
    right = len(bundle) == ENTRY * width and bundle[0::ENTRY] == _LENGTH[:1] * width and bundle[1::ENTRY] == _LENGTH[1:] * width
    if not right or bundle[2::ENTRY] != leaves.VERSION * width:
        return None
    return [bundle[start : start + leaves.LEAF_BYTES] for start in range(2, len(bundle), ENTRY)]


class Bulk:
    """The lines of records.jsonl and records.csv, a bundle at a time. After `holds` said no, both files stand where they stood."""

    remembered = 4096
    """How many texts around times are kept: few services have more, and nobody can fill the memory with them."""

    def __init__(self, lines: BinaryIO, sheet: BinaryIO) -> None:
        self._lines = lines
        self._sheet = sheet
        self._known: dict[tuple[bytes, bytes], Text] = {}

    def holds(self, first: int, entries: Sequence[bytes], newest: str) -> Passed | None:
        """Check the lines of a bundle, whose last time before is `newest`; None to look closer."""
        at, row_at = self._lines.tell(), self._sheet.tell()
        try:
            found = self._checked(first, entries, newest)
        except (Unusual, ValueError, RecursionError):
            self._lines.seek(at)
            self._sheet.seek(row_at)
            return None
        return found

    def _checked(self, first: int, entries: Sequence[bytes], newest: str) -> Passed:
        """Raises: Unusual; ValueError for base64 or text that is none."""
        rows, nobodies = [], 0
        for index, (entry, line) in enumerate(zip(entries, itertools.islice(self._lines, len(entries)), strict=True), first):
            head = b'{"index":%d,"leaf":"%b","nonce_a":"' % (index, binascii.b2a_base64(entry, newline=False))
            at = len(head)
            middle = line[at + _NONCE : at + _NONCE + len(_RECORD)]
            if not line.startswith(head) or not line.endswith(b"}\n"):
                raise Unusual
            nonce_a = binascii.a2b_base64(line[at : at + _NONCE])
            nobody = middle != _RECORD
            nobodies += nobody
            written = line[_opened_nobody(line, at + _NONCE, entry) if nobody else at + _NONCE + len(_RECORD) : -2]
            if hashlib.sha256(_ACCESS + nonce_a + written).digest() != entry[33:]:
                raise Unusual
            before, _, after = written.partition(_TIME)
            stamp, around = after[:_TIME_LENGTH], (before, after[_TIME_LENGTH:])
            text = self._known.get(around) or self._read(around)
            time = stamp.decode()
            if time < newest or not _is_time(stamp) or (nobody and text.read):
                raise Unusual
            newest = time
            rows.append(f"{index},{time}{text.cells},{nonce_a.hex()},{entry.hex()}\r\n")
        expected = "".join(rows).encode()
        if self._sheet.read(len(expected)) != expected:
            raise Unusual
        return Passed(newest, nobodies)

    def _read(self, around: tuple[bytes, bytes]) -> Text:
        """Read the record around a time, with a time of no day in its place: only if it is the record's time it is found so.

        A text with escapes could say that time in another way, and is left to the careful way. Raises: Unusual, ValueError.
        """
        written = _TIME.join((around[0], _PLACE + around[1]))
        if b"\\" in written or written.count(_PLACE) != 1:
            raise Unusual
        record = json.loads(written.decode())
        if not isinstance(record, dict) or record.get("time") != _PLACE.decode() or _tells(record):
            raise Unusual
        text = Text(export_lines.csv_cells(record)[_TIME_LENGTH:], record.get("action") in READS)
        if len(self._known) >= self.remembered:
            self._known.clear()
        if self.remembered:
            self._known[around] = text
        return text


def _tells(record: Mapping[str, object]) -> bool:
    """Tell whether a record says something about other entries, or too little about itself."""
    return record.get("action") in STATING or succession.of_record(record) is not None or silent(record)


def silent(record: Mapping[str, Any]) -> bool:
    """Tell of a record that is shown later and does not say why and until when (law.md R17). What an erasure closes says so itself."""
    if record.get("visibility") != DELAYED or record.get("action") == "erase":
        return False
    delay = record.get("delay")
    said = [delay.get(name) for name in ("until", "code", "legal_ref")] if isinstance(delay, dict) else [None]
    return not all(isinstance(value, str) and value for value in said)


def _opened_nobody(line: bytes, at: int, entry: bytes) -> int:
    """Check that an entry opens as about nobody; give where its record begins. Raises: Unusual, ValueError."""
    start = at + len(_NONE)
    end = start + _NONCE
    if line[at:start] != _NONE or line[end : end + len(_RECORD)] != _RECORD:
        raise Unusual
    if leaves.none_commitment(binascii.a2b_base64(line[start:end]), entry[33:]) != entry[1:33]:
        raise Unusual
    return end + len(_RECORD)


def is_tile(stored: bytes, hashes: Sequence[bytes]) -> bool:
    """Tell whether a stored tile is what the entries make."""
    return len(stored) == tiles.HASH * len(hashes) and stored == b"".join(hashes)

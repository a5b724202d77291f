"""Checking records.jsonl and records.csv of an export beside its entries: each by itself, and one after another. Pure but for two files."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from consent import export_lines
from consent.access_log import leaf as leaves
from consent.verify_bulk import READS, Bulk, silent
from consent.verify_succession import Successions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consent.export_lines import Line
    from consent.findings import Findings
    from consent.verify_openings import Openings


class Order:
    """What must hold from one record to the next, and of each by itself."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.newest = ""

    def check(self, index: int, record: object, *, about_nobody: bool) -> None:
        """Check one record: its time is not before the one before, a read is about somebody, and no delay is silent."""
        if not isinstance(record, dict):
            return
        time = str(record.get("time", ""))
        if time < self.newest:
            self._findings.add(index, f"its time {time} is before that of the entry before it, {self.newest}")
        self.newest = max(time, self.newest)
        if about_nobody and record.get("action") in READS:
            self._findings.add(index, f"a {record['action']} is recorded as being about nobody")
        if silent(record):
            self._findings.add(index, "it is shown later, and does not say by which law and until when")


class Records:
    """The lines of records.jsonl and records.csv, walked beside the bundles."""

    def __init__(self, lines: BinaryIO, sheet: BinaryIO, findings: Findings, openings: Openings) -> None:
        self.followed = Successions(findings.add)
        self._openings = openings
        self.findings = findings
        self._lines = lines
        self._sheet = sheet
        self._bulk = Bulk(lines, sheet)
        self._order = Order(findings)
        if _row(sheet) != export_lines.csv_header().encode():
            findings.add(-1, "records.csv does not begin with its column names")

    def check(self, first: int, entries: Sequence[bytes] | None, width: int) -> None:
        """Check the lines of one bundle; without its entries, only what lines say by themselves."""
        if entries:
            self._openings.check(first, entries)
        bulk = entries and not self._openings.splits(first, width)
        passed = self._bulk.holds(first, entries, self._order.newest) if entries and bulk else None
        if passed is not None:
            self._order.newest = passed.newest
            self._openings.count_nobody(first, passed.nobody)
            return
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
        self._openings.count_nobody(index, int(line.nonce_s is not None))
        self._openings.state(index, line.record)
        self._order.check(index, line.record, about_nobody=line.nonce_s is not None)
        self.followed.see(index, line.record)
        if _row(self._sheet) != _right_row(line):
            found.add(index, "records.csv says something else than records.jsonl")

    def check_end(self, size: int) -> None:
        """Refuse lines beyond the checkpoint."""
        if self._lines.readline():
            self.findings.add(size, "records.jsonl goes on beyond the checkpoint")
        if self._sheet.readline():
            self.findings.add(size, "records.csv goes on beyond the checkpoint")


def _right_row(line: Line) -> bytes | None:
    """Give the row that a line must have beside it; None for what is no record of ours, whose AC is not open either."""
    try:
        return export_lines.csv_line(line.idx, line.leaf, line.nonce_a, line.record).encode()
    except (export_lines.LineBroken, UnicodeEncodeError):
        return None


def _row(sheet: BinaryIO) -> bytes:
    """Give the next row of a sheet as it was written; a quoted cell may hold line breaks."""
    row = line = sheet.readline()
    while line and row.count(b'"') % 2:
        line = sheet.readline()
        row += line
    return row

"""`idp audit verify --live`: the log in its database checked with the persons' log keys, which no export carries.

Beyond what an export shows: each SC opens as somebody or nobody; those that do not open equal, in number, what erase and retention entries
state; two chains per person at most (open and delayed), no `n` missing or twice; stored tiles, bundles
and positions are what the entries make.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consent import tiles
from consent.access_log import leaf as leaves
from consent.access_log import tables, tree
from consent.access_log.opening import DELAYED, Row, access_problem, is_none, object_of, subject_of
from consent.findings import Findings, Verdict
from consent.tree_walk import TreeWalk
from consent.verify import compare_tile
from consent.verify_openings import STATING, Accounts
from consent.verify_records import Order
from consent.verify_succession import Successions
from keys.log_subjects import LogKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from consent.checkpoint import Checkpoint
    from consent.tree_walk import Tile
    from keys.database import Database

    Closings = Callable[[], Awaitable[Mapping[int, int | None]]]

_E = tables.entries.c
JOURNAL_SECONDS = 1.0


@dataclasses.dataclass(slots=True)
class _Person:
    """One of a person's chains while it is walked; holds the key's secret, since a cipher for each citizen would not fit in memory."""

    secret: bytes
    visibility: str = "open"
    length: int = 0
    prev: bytes = leaves.FIRST_PREV
    closed_by: int | None = None


async def verify_live(
    database: Database,
    log_keys: AsyncIterator[Mapping[str, bytes]],
    checkpoints: Sequence[Checkpoint] = (),
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    closings: Closings | None = None,
) -> tuple[Verdict, Accounts]:
    """Verify the whole log in its database. `log_keys`: pages of person → log key, all of them; `checkpoints`: verified notes.

    `closings`: reads the journal of erased people, which lies outside the database: the index of each erase entry → how many entries
    opened as the person's when it was written. What the log states must stand there, and what stands there in the log.

    Raises: StoreUnavailable.
    """
    persons = {LogKey(secret).reference: _Person(secret) async for page in log_keys for secret in page.values()}
    findings = Findings()
    async with database.read() as connection:
        edge = await tree.head(connection)
        await _add_second_chains(connection, persons)
        walk = TreeWalk([edge.size, *(note.size for note in checkpoints)])
        ledger = _Ledger(persons, findings)
        for first in range(0, edge.size, tiles.WIDTH):
            rows = await _rows(connection, first, min(edge.size, first + tiles.WIDTH), findings)
            if rows is None:
                break
            for row in rows:
                ledger.check(row)
            ledger.followed.mark(walk, rows[0].idx)
            await _compare(connection, walk.add([row.leaf for row in rows]), [row.leaf for row in rows], findings)
            progress(walk.size, edge.size)
        if walk.size == edge.size:
            _check_heads(walk, edge.root, checkpoints, findings)
            ledger.check_end()
            ledger.followed.check(walk.roots)
            await _check_chains(connection, persons, edge.size, findings)
    if closings is not None and walk.size == edge.size:
        await _check_closings(closings, ledger.statements, edge.size, findings)
    return Verdict(edge.size, edge.root, "", tuple(findings.found), findings.more, tuple(ledger.followed.found)), ledger.accounts()


async def _add_second_chains(connection: AsyncConnection, persons: dict[bytes, _Person]) -> None:
    """Find the few people who have a second chain among the references that are nobody's first; the others are of the erased."""
    references = (await connection.execute(sa.select(tables.chains.c.subject_ref))).scalars()
    unknown = {reference for reference in references if reference not in persons}
    for secret in [person.secret for person in persons.values()] if unknown else ():
        if (reference := LogKey(secret).delayed) in unknown:
            persons[reference] = _Person(secret, DELAYED)


async def _rows(connection: AsyncConnection, first: int, end: int, findings: Findings) -> list[Row] | None:
    """Read one bundle's entries; without all of them nothing after can be placed."""
    query = sa.select(tables.entries).where(_E.idx >= first, _E.idx < end).order_by(_E.idx)
    rows = [Row(*row) for row in await connection.execute(query)]
    for expected, row in enumerate(rows, first):
        if row.idx != expected:
            findings.add(expected, "it is missing")
            return None
    if len(rows) != end - first:
        findings.add(first + len(rows), "it is missing")
        return None
    return rows


async def _compare(connection: AsyncConnection, made: Sequence[Tile], entries: Sequence[bytes], findings: Findings) -> None:
    """Compare the stored bundle and tiles with what the entries make."""
    for tile in made:
        if tile.address.level == 0:
            bundles = tables.bundles.c
            stored = (await connection.execute(sa.select(bundles.entries).where(bundles.n == tile.address.n))).scalar_one_or_none()
            _compare_bundle(tile.first, stored, entries, findings)
        try:
            compare_tile(tile, await tree.tile(connection, tile.address), findings)
        except tree.TreeBroken as error:
            findings.add(tile.first, str(error))


def _compare_bundle(first: int, stored: bytes | None, entries: Sequence[bytes], findings: Findings) -> None:
    try:
        bundled = tiles.decode_bundle(stored or b"")
    except tiles.TileBroken as error:
        findings.add(first, f"{tiles.bundle_path(first // tiles.WIDTH)}: {error}")
        return
    if len(bundled) != len(entries):
        findings.add(first, f"{tiles.bundle_path(first // tiles.WIDTH)} is missing or holds {len(bundled)} entries")
    for index, (there, right) in enumerate(zip(bundled, entries, strict=False), first):
        if there != right:
            findings.add(index, "the entry in the database is not the one in its bundle")


def _check_heads(walk: TreeWalk, root: bytes, checkpoints: Sequence[Checkpoint], findings: Findings) -> None:
    if walk.edge.root != root:
        findings.add(-1, f"the {walk.size} entries do not have the root of the head row")
    for note in checkpoints:
        if note.size > walk.size:
            findings.add(walk.size, f"a checkpoint of {note.size} entries was signed; the database holds {walk.size}")
        elif walk.roots[note.size] != note.root:
            findings.add(-1, f"the first {note.size} entries are not those of the signed checkpoint")


async def _check_chains(connection: AsyncConnection, persons: Mapping[bytes, _Person], size: int, findings: Findings) -> None:
    """Compare each person's stored position with their chain: entries hidden at its end show here."""
    stored = tables.chains.c
    for row in await connection.execute(sa.select(stored.subject_ref, stored.length)):
        person = persons.get(row.subject_ref)
        if person and person.length < row.length and size == (await tree.head(connection)).size:
            findings.add(-1, f"a person's chain has {row.length} entries by its position, {person.length} can be found")


async def _check_closings(closings: Closings, stated: Mapping[int, int], size: int, findings: Findings) -> None:
    """Compare what erase and retention entries state with the journal: an operator of the database alone can write only one of the two."""
    known = await closings()
    if not stated.keys() <= known.keys():  # an erasure of this second enters the log first, and then the journal
        await asyncio.sleep(JOURNAL_SECONDS)
        known = await closings()
    for index, count in stated.items():
        if index not in known:
            findings.add(index, f"it states {count} entries as erased, but the erasure journal does not know it")
        elif known[index] not in (None, count):
            findings.add(index, f"it states {count} entries as erased, the erasure journal {known[index]}")
    for index in known.keys() - stated.keys():
        if index < size:
            findings.add(index, "the erasure journal knows it as an erase entry, which it is not")


class _Ledger:
    """The accounting of who entries are about."""

    def __init__(self, persons: Mapping[bytes, _Person], findings: Findings) -> None:
        self._persons = persons
        self._findings = findings
        self._order = Order(findings)
        self.followed = Successions(findings.add)
        self._nobody = self._somebody = self._stated = 0
        self._unopenable: list[int] = []
        self.statements: dict[int, int] = {}
        """What erase and retention entries state, by index."""

    def check(self, row: Row) -> None:
        """Check one entry."""
        problem = access_problem(row)
        if problem:
            self._findings.add(row.idx, problem)
        record = object_of(row.record)
        nobody = is_none(row)
        stated = record.get("count")
        if record.get("action") in STATING:
            self.statements[row.idx] = stated if isinstance(stated, int) else 0
        self._order.check(row.idx, record, about_nobody=nobody)
        self.followed.see(row.idx, record)
        if nobody:
            self._nobody += 1
            self._stated += self.statements.get(row.idx, 0)
            return
        person = self._persons.get(row.subject_ref or b"")
        subject = subject_of(row, LogKey(person.secret)) if person else None
        if person is None or subject is None:
            self._not_opened(row, known=person is not None)
            return
        self._somebody += 1
        self._link(row, person, subject, record)

    def _not_opened(self, row: Row, *, known: bool) -> None:
        if known:
            self._findings.add(row.idx, "the subject is not the one that was recorded (SC does not open)")
        self._unopenable.append(row.idx)
        self._stated += self.statements.get(row.idx, 0)

    def _link(self, row: Row, person: _Person, subject: Mapping[str, object], record: Mapping[str, object]) -> None:
        if record.get("visibility") != person.visibility:
            self._findings.add(row.idx, f"it stands in a chain of {person.visibility} entries, and says to be {record.get('visibility')}")
        if person.closed_by is not None:
            self._findings.add(row.idx, f"it follows the erase entry {person.closed_by} of the same person")
        if subject.get("n") != person.length:
            self._findings.add(row.idx, f"n is {subject.get('n')}, but {person.length} entries of this person stand before it")
        elif subject.get("prev") != base64.b64encode(person.prev).decode():
            self._findings.add(row.idx, "it does not follow the entry of the same person before it")
        n = subject.get("n")
        person.length = (n if isinstance(n, int) else person.length) + 1  # one gap is told once
        person.prev = row.leaf[1:33]
        if record.get("action") == "erase":
            person.closed_by = row.idx
            if record.get("count") != person.length:
                self._findings.add(row.idx, f"the erase entry states {record.get('count')} entries, the person has {person.length}")

    def check_end(self) -> None:
        """Compare what does not open with what erasures and retention state."""
        if len(self._unopenable) != self._stated:
            some = ", ".join(map(str, self._unopenable[:5]))
            what = f"{len(self._unopenable)} entries do not open (among them {some}), but {self._stated} are stated as erased"
            self._findings.add(self._unopenable[0] if self._unopenable and not self._stated else -1, what)

    def accounts(self) -> Accounts:
        """Give the sums."""
        return Accounts(self._somebody, self._nobody, len(self._unopenable), self._stated)

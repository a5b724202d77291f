"""log.md, "Attacks to reproduce": an operator with full access to the database, who drops triggers first."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from consent import merkle
from consent.access_log import AccessLog, Actor, Entry, Receipt, Record, Subject
from consent.access_log import leaf as leaves
from consent.access_log.tables import bundles, chains, checkpoints, entries, head, tiles
from consent.access_log.tree import TreeBroken
from consent.errors import LogUnavailable
from consent.signer import SignerRefused
from consent.verify import verify_folder
from tests.support.log import LogHouse, disclosure, erasure, log_house
from tests.support.waiting import trusted_again, until

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["log_house"]
TABLES = (head, entries, tiles, bundles, chains, checkpoints)
SIZE = 600

Snapshot = dict[str, list[dict[str, Any]]]


class Operator:
    """Who has every right in the database, and no key."""

    def __init__(self, house: LogHouse) -> None:
        self.house = house

    async def drop_triggers(self) -> None:
        postgresql = self.house.database.dialect == "postgresql"
        for table in ("log_entries", "log_tiles", "log_bundles"):
            for trigger in ("no_update", "no_delete"):
                await self.house.execute(f"DROP TRIGGER {table}_{trigger}" + (f" ON {table}" if postgresql else ""))
        if postgresql:
            await self.house.execute("DROP TRIGGER log_head_no_shrink ON log_head")

    async def row(self, index: int) -> Mapping[str, Any]:
        async with self.house.database.read() as connection:
            return dict((await connection.execute(sa.select(entries).where(entries.c.idx == index))).mappings().one())

    async def change(self, index: int, **values: object) -> None:
        await self.run(sa.update(entries).where(entries.c.idx == index).values(**values))

    async def run(self, *statements: sa.Executable) -> None:
        async with self.house.database.transaction() as transaction:
            for statement in statements:
                await transaction.execute(statement)
            await transaction.commit()

    async def backup(self) -> Snapshot:
        async with self.house.database.read() as connection:
            return {table.name: [dict(row) for row in (await connection.execute(sa.select(table))).mappings()] for table in TABLES}

    async def restore(self, snapshot: Snapshot) -> None:
        async with self.house.database.transaction() as transaction:
            for table in TABLES:
                await transaction.execute(sa.delete(table))
                if snapshot[table.name]:
                    await transaction.connection.execute(sa.insert(table), snapshot[table.name])
            await transaction.commit()

    async def rebuild_tree(self) -> None:
        """Make head, tiles and bundles anew from the entries as they now are, as a forger with time would."""
        async with self.house.database.read() as connection:
            found = list((await connection.execute(sa.select(entries.c.leaf).order_by(entries.c.idx))).scalars())
        hashes = [merkle.leaf_hash(leaf) for leaf in found]
        edge = merkle.Edge().extend(hashes)
        full = [(n, hashes[n * 256 : n * 256 + 256]) for n in range(len(hashes) // 256)]
        await self.run(
            sa.update(head).values(size=edge.size, edge=edge.pack()),
            *(sa.update(tiles).where(tiles.c.n == n).values(hashes=b"".join(row), root=merkle.perfect_root(row)) for n, row in full),
            *(
                sa.update(bundles)
                .where(bundles.c.n == n)
                .values(entries=b"".join(b"\0\x41" + leaf for leaf in found[n * 256 : n * 256 + 256]))
                for n, _ in full
            ),
        )


@pytest.fixture
async def operator(log_house: LogHouse) -> Operator:
    """An operator of a log of 600 entries of three people, signed."""
    await asyncio.gather(*(log_house.log.append(disclosure(f"p{i % 3}")) for i in range(SIZE)))
    await log_house.signer.sign_once()
    found = Operator(log_house)
    await found.drop_triggers()
    return found


async def first_bad(house: LogHouse) -> tuple[int | None, int | None]:
    """Give the indices that the auditor's and the live verification name first; both must say that something is wrong."""
    exported, (live, _) = await house.export_and_verify(), await house.verify_live()
    assert not exported.holds
    assert not live.holds
    return exported.first_bad, live.first_bad


async def doubted(process: AccessLog, why: str) -> None:
    """Demand that a process soon discloses nothing, and says why."""

    async def noticed() -> bool:
        return re.search(why, process.in_doubt or "") is not None

    await until(noticed, why)
    with pytest.raises(LogUnavailable, match=why):
        await process.append(disclosure())
    assert (await process.status()).in_doubt


async def test_nothing_is_found_where_nothing_was_done(operator: Operator) -> None:
    assert (await operator.house.export_and_verify()).holds
    verdict, accounts = await operator.house.verify_live()
    assert verdict.holds
    assert (accounts.about_persons, accounts.unopenable) == (SIZE, 0)


@pytest.mark.parametrize("index", [5, 300, 599])
async def test_an_edited_record_is_named_and_the_citizens_check_fails(operator: Operator, index: int) -> None:
    record = (await operator.row(index))["record"]
    await operator.change(index, record=record.replace(b"aduan", b"pajak"))
    assert await first_bad(operator.house) == (index, index)
    check = await operator.house.log.check_person(f"p{index % 3}")
    assert (check.whole, check.index) == (False, index)
    assert (await operator.house.log.check_person(f"p{(index + 1) % 3}")).whole


@pytest.mark.parametrize("index", [5, 300, 599])
async def test_an_edited_leaf_is_named(operator: Operator, index: int) -> None:
    leaf = (await operator.row(index))["leaf"]
    await operator.change(index, leaf=leaf[:40] + bytes([leaf[40] ^ 1]) + leaf[41:])
    assert await first_bad(operator.house) == (index, index)
    assert not (await operator.house.log.check_person(f"p{index % 3}")).whole


@pytest.mark.parametrize("index", [5, 511])
async def test_a_forged_record_with_a_forged_leaf_is_named(operator: Operator, index: int) -> None:
    row = await operator.row(index)
    record = row["record"].replace(b"aduan", b"pajak")
    leaf = leaves.leaf(row["leaf"][1:33], leaves.access_commitment(row["nonce_a"], record))
    await operator.change(index, record=record, leaf=leaf, client="pajak")
    assert await first_bad(operator.house) == (index, index)


@pytest.mark.parametrize("position", [0, 7, 255])
async def test_a_flipped_bit_in_a_tile_is_named(operator: Operator, position: int) -> None:
    async with operator.house.database.read() as connection:
        stored = bytearray((await connection.execute(sa.select(tiles.c.hashes).where(tiles.c.n == 1))).scalar_one())
    stored[position * 32 + 9] ^= 4
    await operator.run(sa.update(tiles).where(tiles.c.n == 1).values(hashes=bytes(stored)))
    assert await first_bad(operator.house) == (256 + position, 256 + position)


async def test_a_flipped_bit_in_a_bundle_is_named(operator: Operator) -> None:
    async with operator.house.database.read() as connection:
        stored = bytearray((await connection.execute(sa.select(bundles.c.entries).where(bundles.c.n == 1))).scalar_one())
    stored[67 * 9 + 30] ^= 4
    await operator.run(sa.update(bundles).where(bundles.c.n == 1).values(entries=bytes(stored)))
    assert await first_bad(operator.house) == (265, 265)


@pytest.mark.parametrize("index", [5, 300])
async def test_an_entry_deleted_in_the_middle_is_named(operator: Operator, index: int) -> None:
    await operator.run(sa.delete(entries).where(entries.c.idx == index))
    assert await first_bad(operator.house) == (index, index)
    check = await operator.house.log.check_person(f"p{index % 3}")
    assert (check.whole, check.index) == (False, index + 3), "the gap shows at the person's next entry"


async def test_an_entry_deleted_under_the_newest_tile_stops_the_export_and_the_disclosures(operator: Operator) -> None:
    await operator.run(sa.delete(entries).where(entries.c.idx == 550))
    with pytest.raises(TreeBroken, match="entry 550 is missing"):
        await operator.house.export_and_verify()
    verdict, _ = await operator.house.verify_live()
    assert verdict.first_bad == 550
    await doubted(operator.house.log, "entry 550 is missing")


async def test_two_entries_swapped_are_named(operator: Operator) -> None:
    one, two = await operator.row(40), await operator.row(41)
    for index, row in ((40, two), (41, one)):
        await operator.change(index, **{name: value for name, value in row.items() if name != "idx"})
    assert await first_bad(operator.house) == (40, 40)


async def test_a_history_rebuilt_without_an_entry_has_another_root(operator: Operator) -> None:
    note = operator.house.anchor.read()
    await operator.run(
        sa.delete(entries).where(entries.c.idx == 100),
        sa.text("UPDATE log_entries SET idx = idx - 1000000 WHERE idx > 100"),
        sa.text("UPDATE log_entries SET idx = idx + 999999 WHERE idx < 0"),
    )
    await operator.rebuild_tree()
    await doubted(operator.house.log, "599 entries")
    with pytest.raises(SignerRefused, match="older database was put back"):
        await operator.house.signer.sign_once()
    verdict, _ = await operator.house.verify_live()
    assert verdict.first_bad == 101 - 1
    operator.house.anchor.path.unlink()
    await operator.run(sa.delete(checkpoints))
    await operator.house.signer.sign_once()
    exported = await operator.house.export_and_verify(since=note)
    assert "older checkpoint" in str(exported.problems[-1])


async def test_an_inserted_entry_changes_the_root(operator: Operator) -> None:
    row = await operator.row(100)
    await operator.run(
        sa.text("UPDATE log_entries SET idx = -idx WHERE idx > 100"),
        sa.text("UPDATE log_entries SET idx = 1 - idx WHERE idx < 0"),
        sa.insert(entries).values({**row, "idx": 101}),
    )
    await operator.rebuild_tree()
    await doubted(operator.house.log, "first 600 entries")
    with pytest.raises(SignerRefused, match="first 600 entries"):
        await operator.house.signer.sign_once()
    verdict, _ = await operator.house.verify_live()
    assert verdict.first_bad == 101


async def test_the_newest_entry_deleted_stops_running_and_starting_processes(operator: Operator) -> None:
    snapshot = await operator.backup()
    await operator.house.log.append(disclosure())
    await operator.house.signer.sign_once()
    await operator.restore(snapshot)
    await doubted(operator.house.log, "600 entries")
    starting = operator.house.process()
    await starting.start()
    await doubted(starting, "a checkpoint of 601 was signed")
    await starting.stop()
    with pytest.raises(SignerRefused):
        await operator.house.signer.sign_once()


async def test_an_entry_deleted_before_it_was_signed_stops_the_process_that_wrote_it(operator: Operator) -> None:
    snapshot = await operator.backup()
    await operator.house.log.append(disclosure())
    await operator.restore(snapshot)
    with pytest.raises(LogUnavailable, match="601 were committed"):
        await operator.house.log.append(disclosure())


async def test_an_entry_replaced_before_it_was_signed_stops_the_process_that_wrote_it(operator: Operator) -> None:
    snapshot = await operator.backup()
    await operator.house.log.append(disclosure("p1"))
    await operator.restore(snapshot)
    other = operator.house.process()
    await other.start()
    await other.append(disclosure("p2"))
    await other.stop()
    with pytest.raises(LogUnavailable, match=r"60[01]"):
        await operator.house.log.append(disclosure())


async def test_yesterdays_database_does_not_disclose_and_todays_put_back_does(operator: Operator) -> None:
    yesterday = await operator.backup()
    await asyncio.gather(*(operator.house.log.append(disclosure()) for _ in range(300)))
    await operator.house.signer.sign_once()
    today = await operator.backup()
    await operator.restore(yesterday)
    starting = operator.house.process()
    await starting.start()
    await doubted(starting, "a checkpoint of 900 was signed")
    await operator.restore(today)
    await trusted_again(starting)
    await starting.stop()


async def test_yesterdays_database_that_grew_again_is_not_the_one_that_was_signed(operator: Operator) -> None:
    yesterday = await operator.backup()
    await operator.house.log.append(disclosure())
    await operator.house.signer.sign_once()
    anchor = operator.house.anchor.read() or ""
    await operator.house.log.stop()
    await operator.restore(yesterday)
    operator.house.anchor.path.unlink()
    forger = operator.house.process()
    await operator.run(sa.delete(checkpoints))
    await forger.start()
    await asyncio.gather(*(forger.append(disclosure("p2")) for _ in range(5)))
    await forger.stop()
    operator.house.anchor.advance(None, anchor)
    starting = operator.house.process()
    await starting.start()
    await doubted(starting, "first 601 entries")
    await starting.stop()


async def test_a_read_recorded_under_none_is_named(operator: Operator) -> None:
    hidden = Entry(Record(action="disclose", client="pajak", channel="userinfo", outcome="ok", claims=("nik",)))
    await operator.house.log.append(hidden)
    await operator.house.signer.sign_once()
    assert await first_bad(operator.house) == (SIZE, SIZE)


async def test_a_blanked_subject_is_missed_by_the_accounting_and_by_the_person(operator: Operator) -> None:
    await operator.change(10, subject_ref=None, subject_sealed=None)
    verdict, accounts = await operator.house.verify_live()
    assert (accounts.unopenable, accounts.stated) == (1, 0)
    assert verdict.first_bad == 10
    check = await operator.house.log.check_person("p1")
    assert (check.whole, check.index) == (False, 13)


async def test_a_blanked_subject_called_erased_leaves_a_gap(operator: Operator) -> None:
    house = operator.house
    await operator.change(10, subject_ref=None, subject_sealed=None)
    await house.log.append(erasure("nobody ever"))  # states one entry: itself
    await operator.change(SIZE, subject_ref=None, subject_sealed=None)
    verdict, accounts = await house.verify_live()
    assert (accounts.unopenable, accounts.stated) == (2, 1)
    assert verdict.first_bad == 13, "the person's next entry has an n too high"


async def test_a_persons_newest_entries_blanked_are_missed(operator: Operator) -> None:
    await operator.change(599, subject_ref=None, subject_sealed=None)
    check = await operator.house.log.check_person("p2")
    assert (check.whole, check.problem) == (False, "200 entries were recorded, 199 are shown")
    verdict, _ = await operator.house.verify_live()
    assert verdict.first_bad == 599


async def test_an_erasure_that_states_too_little_or_too_much_is_found(operator: Operator) -> None:
    house = operator.house
    receipt = await house.log.append(erasure("p1"))
    assert isinstance(receipt, Receipt)
    house.keys.destroyed.add("p1")
    await house.log.forget(receipt.index)
    assert (await house.verify_live())[0].holds
    await operator.change(11, subject_ref=None, subject_sealed=None)
    verdict, accounts = await house.verify_live()
    assert (accounts.unopenable, accounts.stated) == (202, 201)
    assert not verdict.holds


async def test_an_entry_moved_to_another_person_opens_for_neither(operator: Operator) -> None:
    theirs = await operator.row(12)
    await operator.change(10, subject_ref=theirs["subject_ref"])
    assert not (await operator.house.log.check_person("p0")).whole
    assert not (await operator.house.log.check_person("p1")).whole
    assert (await operator.house.verify_live())[0].first_bad == 10


async def test_a_subject_cell_copied_to_another_entry_does_not_open(operator: Operator) -> None:
    other = await operator.row(13)
    await operator.change(10, subject_sealed=other["subject_sealed"])
    check = await operator.house.log.check_person("p1")
    assert (check.whole, check.index) == (False, 10)
    broken = [entry for entry in await operator.house.log.history("p1", limit=1000) if entry.problem]
    assert [entry.index for entry in broken] == [10]


async def test_filters_cannot_be_used_to_hide_an_entry(operator: Operator) -> None:
    await operator.change(10, client="lain", action="key")
    check = await operator.house.log.check_person("p1")
    assert (check.whole, check.index) == (False, 10)
    assert (await operator.house.verify_live())[0].first_bad == 10


async def test_an_entry_written_with_an_earlier_time_is_named(operator: Operator) -> None:
    await operator.run(sa.text("UPDATE log_head SET last_time = last_time + 4000000"))
    await operator.house.log.append(disclosure())
    await operator.run(sa.text("UPDATE log_head SET last_time = last_time - 8000000"))
    await operator.house.log.append(disclosure())
    await operator.house.signer.sign_once()
    assert await first_bad(operator.house) == (SIZE + 1, SIZE + 1)


async def test_two_checkpoints_of_one_size_are_shown_by_a_comparison(operator: Operator) -> None:
    forked = await operator.backup()
    await operator.house.log.append(disclosure("p1"))
    await operator.house.signer.sign_once()
    shown_to_one = operator.house.anchor.read()
    await operator.house.log.stop()
    await operator.restore(forked)
    operator.house.anchor.path.unlink()
    other = operator.house.process()
    await other.start()
    with pytest.raises(LogUnavailable, match="is gone"):
        await other.append(disclosure("p2"))
    await operator.run(sa.delete(checkpoints))
    await trusted_again(other, "p2")
    await operator.house.signer.sign_once()
    assert (await operator.house.export_and_verify()).holds
    verdict = verify_folder(operator.house.folder / "export", operator.house.key, shown_to_one)
    assert "the first 601 entries are not those of the older checkpoint" in str(verdict.problems[0])
    await other.stop()


async def test_an_entry_by_a_citizen_names_them_only_under_their_key(operator: Operator) -> None:
    await operator.house.log.append(Entry(Record(action="export", channel="page", outcome="ok"), Subject("p1", actor=Actor("citizen"))))
    assert b"citizen" not in (await operator.row(SIZE))["record"]


@pytest.mark.parametrize("line", [0, 300, 599])
async def test_an_export_changed_on_its_way_is_named(operator: Operator, line: int) -> None:
    house = operator.house
    assert (await house.export_and_verify()).holds
    for name in ("records.jsonl", "records.csv"):
        file = house.folder / "export" / name
        whole = file.read_bytes()
        rows = whole.splitlines(keepends=True)
        at = line + (name == "records.csv")
        file.write_bytes(b"".join([*rows[:at], rows[at].replace(b"aduan", b"pajak"), *rows[at + 1 :]]))
        assert verify_folder(house.folder / "export", house.key).first_bad == line
        file.write_bytes(b"".join([*rows[:at], *rows[at + 1 :]]))
        assert verify_folder(house.folder / "export", house.key).first_bad == line
        file.write_bytes(whole)
    assert verify_folder(house.folder / "export", house.key).holds


async def test_a_checkpoint_signed_by_somebody_else_does_not_hold(operator: Operator) -> None:
    await operator.house.export_and_verify()
    stranger = dataclasses.replace(operator.house.key, public=bytes(32))
    verdict = verify_folder(operator.house.folder / "export", stranger)
    assert [str(problem) for problem in verdict.problems] == ["checkpoint: the checkpoint bears no signature of the key"]

"""Verifying an export: in bulk where all holds, carefully where not; each tampering is named with its index."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from consent import export_lines, tiles, verify_bulk
from consent.access_log import leaf as leaves
from consent.access_log.opening import object_of
from consent.tree_walk import TreeWalk
from consent.verify import Extras, Unreadable, verify_folder
from consent.verify_openings import Covered, covering_line, opening_line
from tests.support import synthetic_log
from tests.support.tampering import PLACE, SIZE, TAMPERINGS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consent.findings import Verdict

KEY = synthetic_log.verifier_key()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in which all holds."""
    folder = tmp_path_factory.mktemp("export") / "good"
    synthetic_log.write_export(folder, SIZE)
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return shutil.copytree(good, tmp_path / "export")


def test_a_good_export_holds_and_no_bundle_needs_a_closer_look(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_lines, "parse_line", None)  # the careful way would fail
    told: list[tuple[int, int]] = []
    verdict = verify_folder(good, KEY, extras=Extras(progress=lambda done, whole: told.append((done, whole))))
    assert (verdict.holds, verdict.size, verdict.accounts) == (True, SIZE, None)
    assert told == [(256, SIZE), (512, SIZE), (SIZE, SIZE)]


def test_the_careful_way_finds_the_same(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_bulk.Bulk, "holds", lambda *_: None)
    assert verify_folder(good, KEY).holds


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_tampering_is_named(name: str, folder: Path) -> None:
    found = TAMPERINGS[name]
    found.change(folder)
    verdict = verify_folder(folder, KEY)
    assert (verdict.holds, verdict.first_bad) == (False, found.index)
    assert found.said in str(verdict.problems[0])


@pytest.mark.parametrize("missing", ["checkpoint", "records.jsonl", "records.csv"])
def test_a_folder_without_its_parts_is_no_export(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(Unreadable):
        verify_folder(folder, KEY)


def one_record(tmp_path: Path, *records: bytes, nobody: bool = False) -> Verdict:
    """Verify a log of these records, whose leaves, tree and signature are right."""
    walk, entries, lines, rows = TreeWalk(), [], b"", export_lines.csv_header()
    for index, record in enumerate(records):
        ac = leaves.access_commitment(bytes(32), record)
        entry = leaves.leaf(leaves.none_commitment(bytes(32), ac) if nobody else bytes(32), ac)
        entries.append(entry)
        lines += export_lines.json_line(index, entry, bytes(32), bytes(32) if nobody else None, record)
        with contextlib.suppress(ValueError, RecursionError):
            rows += export_lines.csv_line(index, entry, bytes(32), object_of(record))
    walk.add(entries)
    for tile in walk.partial():
        path = tmp_path / tiles.tile_path(tile.address)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"".join(tile.hashes))
    bundle = tmp_path / tiles.bundle_path(0, len(entries))
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(tiles.encode_bundle(entries))
    (tmp_path / "records.jsonl").write_bytes(lines)
    (tmp_path / "records.csv").write_bytes(rows.encode(errors="replace"))
    (tmp_path / "checkpoint").write_text(synthetic_log.note(len(entries), walk.edge.root))
    return verify_folder(tmp_path, KEY)


def at(time: str, **members: Any) -> bytes:
    return leaves.canonical({"action": "disclose", **members, "time": time})


EARLY, LATE = "2026-11-24T02:15:02.000000Z", "2026-11-24T03:15:02.000000Z"


def test_time_that_goes_back_is_named_whatever_stands_around_it(tmp_path: Path) -> None:
    verdict = one_record(tmp_path, at(LATE), at(EARLY))
    assert (verdict.first_bad, "is before that of the entry before it" in str(verdict.problems[0])) == (1, True)


@pytest.mark.parametrize(
    "around",
    [
        b'{"actor":{"time":"%b"},"time":"%b"}',  # the first "time" is not the record's
        b'{"time":"%b","time":"%b"}',  # the last one counts
        b'{"time":"%b","tim\\u0065":"%b"}',
        b'{"note":"0000-00-00T00:00:00.000000Z","actor":{"time":"%b"},"time":"%b"}',
    ],
)
def test_no_other_member_is_taken_for_the_time(tmp_path: Path, around: bytes) -> None:
    """The times that count go back, those that do not go forth."""
    record = [around % (EARLY.encode(), LATE.encode()), around % (LATE.encode(), EARLY.encode())]
    verdict = one_record(tmp_path, *record)
    assert verdict.first_bad == 1
    assert f"its time {EARLY} is before" in str(verdict.problems[0])


@pytest.mark.parametrize(
    "record",
    [
        b'{"purpose":{"version":1},"time":"%b"}',
        b'{"purpose":"x","time":"%b"}',
        b'{"claims":7,"time":"%b"}',
        b'{"actor":7,"time":"%b"}',
        b'{"client":"\\ud800","time":"%b"}',
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b',"time":"%b"}',
        b'{"action":"key","outcome":"succession","reason":"gerbang-log/succession/v1\\nlost\\n\\n\\n'
        + b"9" * 5000
        + b' \\n\\n","time":"%b"}',
    ],
)
def test_a_record_that_is_none_of_ours_is_a_finding_and_no_fault(tmp_path: Path, record: bytes) -> None:
    assert one_record(tmp_path, at(EARLY), record % LATE.encode()).first_bad == 1


def test_a_read_about_nobody_is_named(tmp_path: Path) -> None:
    verdict = one_record(tmp_path, at(EARLY), nobody=True)
    assert (verdict.first_bad, "recorded as being about nobody" in str(verdict.problems[0])) == (0, True)


def openings(*, without: Sequence[int] = (), changed: dict[int, dict[str, Any]] | None = None) -> bytes:
    return b"".join(
        opening_line(made.index, made.nonce_s, {**object_of(made.subject), **(changed or {}).get(made.index, {})})
        for made in synthetic_log.entries(SIZE)
        if made.subject is not None and made.index not in without
    )


def opened(folder: Path, content: bytes, *, complete: bool = True) -> Verdict:
    file = folder.parent / "openings.jsonl"
    file.write_bytes(content)
    return verify_folder(folder, KEY, extras=Extras(openings=file, complete=complete))


def test_openings_of_everybody_account_for_every_entry(good: Path) -> None:
    verdict = opened(good, openings())
    assert verdict.holds
    assert verdict.accounts is not None
    assert (verdict.accounts.about_persons, verdict.accounts.about_nobody, verdict.accounts.unopenable) == (594, 6, 0)


def test_an_entry_left_out_is_missed_in_the_chain_and_in_the_sum(good: Path) -> None:
    verdict = opened(good, openings(without=[PLACE]))
    assert [str(problem) for problem in verdict.problems] == [
        f"entry {PLACE + 3}: it does not follow the entry of the same person before it",
        "1 entries do not open, but 0 are stated as erased",
    ]
    assert opened(good, openings(without=[PLACE]), complete=False).first_bad == PLACE + 3


def test_openings_of_some_time_may_begin_in_the_middle(good: Path) -> None:
    assert opened(good, openings(without=range(PLACE)), complete=False).holds
    assert not opened(good, openings(without=range(PLACE))).holds


def covering(first: int, end: int, *, complete: bool = False, client: str | None = None) -> bytes:
    return covering_line(Covered(first, end, complete, client), {"proposal": "p"})


def test_openings_that_cover_the_log_up_to_an_entry_account_for_what_lies_before_it(good: Path) -> None:
    end = PLACE - PLACE % 256 + 100  # inside a bundle
    verdict = opened(good, covering(0, end, complete=True) + openings(without=range(end, SIZE)), complete=False)
    assert verdict.holds
    assert verdict.accounts is not None
    assert (verdict.accounts.about_persons + verdict.accounts.about_nobody, verdict.accounts.unopenable) == (end, 0)
    short = opened(good, covering(0, end, complete=True) + openings(without=[*range(end, SIZE), end - 1]), complete=False)
    assert "1 entries do not open, but 0 are stated as erased" in str(short.problems[-1])


def test_openings_say_what_they_cover_and_are_held_to_it(good: Path) -> None:
    first, end = PLACE, PLACE + 200
    some = openings(without=[*range(first), *range(end, SIZE)])
    assert opened(good, covering(first, end) + some, complete=False).holds
    for content, complete, said in (
        (covering(first, end) + some, True, "not everybody's: they cover entries"),
        (covering(first, end - 3) + some, False, "outside of what the openings cover"),
        (covering(0, SIZE + 1, complete=True) + openings(), False, "go on beyond the checkpoint: export the log anew"),
    ):
        verdict = opened(good, content, complete=complete)
        assert said in " ".join(map(str, verdict.problems))
    one_service = covering(0, SIZE, client="c") + openings(without=range(0, SIZE, 2))
    assert opened(good, one_service, complete=False).holds  # of each chain only some entries are there


@pytest.mark.parametrize(
    ("content", "index", "said"),
    [
        (openings(changed={PLACE: {"person": "p9"}}), PLACE, "SC does not open"),
        (openings() + opening_line(SIZE, bytes(32), {}), SIZE, "go on beyond the checkpoint"),
        (openings() * 2, 0, "twice, or out of order"),
        (openings() + b"{}\n", None, "line 595 of the openings: not a line of openings"),
    ],
)
def test_wrong_openings_are_named(good: Path, content: bytes, index: int | None, said: str) -> None:
    verdict = opened(good, content, complete=False)
    assert (verdict.holds, verdict.first_bad) == (False, index)
    assert said in str(verdict.problems[0])

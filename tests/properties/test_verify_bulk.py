"""Whatever is done to an export, verifying whole bundles finds what verifying line by line finds; and no change passes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import export_lines
from consent.verify import Unreadable, verify_folder
from consent.verify_bulk import Bulk
from tests.support import synthetic_log

if TYPE_CHECKING:
    from pathlib import Path

    from consent.findings import Verdict

SIZE = 300
KEY = synthetic_log.verifier_key()
TILES = ("tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1")
FILES = ("records.jsonl", "records.csv", "checkpoint", *TILES)
CHANGES = st.tuples(
    st.sampled_from(FILES), st.floats(0, 1, exclude_max=True), st.sampled_from(["set", "insert", "cut", "gone"]), st.integers(0, 255)
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("property") / "good"
    synthetic_log.write_export(folder, SIZE)
    return folder


def found(folder: Path) -> Verdict | str:
    try:
        return verify_folder(folder, KEY)
    except Unreadable as error:
        return str(error)


def says(lines: bytes) -> list[tuple[object, ...]]:
    """What lines say, however they are laid out."""
    return [
        (line.idx, line.leaf, line.nonce_a, line.nonce_s, line.record)
        for line in map(export_lines.parse_line, lines.splitlines(keepends=True))
    ]


def spoil(content: bytes, at: int, how: str, byte: int) -> bytes:
    if how == "set":
        return content[:at] + bytes([byte]) + content[at + 1 :]
    if how == "insert":
        return content[:at] + bytes([byte]) + content[at:]
    if how == "cut":
        return content[:at]
    return content[:at] + content[at + 1 + byte :]  # some bytes are gone


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_bundles_and_lines_find_the_same_and_nothing_passes(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, float, str, int]
) -> None:
    name, place, how, byte = change
    content = (good / name).read_bytes()
    spoiled = spoil(content, int(place * len(content)), how, byte)
    folder = tmp_path / "export"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good, folder)
    (folder / name).write_bytes(spoiled)
    quick = found(folder)
    with monkeypatch.context() as careful:
        careful.setattr(Bulk, "holds", lambda *_: None)
        assert found(folder) == quick
    if isinstance(quick, str) or not quick.holds:
        return
    assert spoiled == content or (name == "records.jsonl" and says(spoiled) == says(content)), "a change passed"

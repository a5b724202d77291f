"""The anchor: compare-and-swap, never backwards, one signer."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest

from consent.anchor import Anchor, AnchorBackwards, AnchorMoved
from consent.checkpoint import Checkpoint, NoteInvalid, VerifierKey

if TYPE_CHECKING:
    from pathlib import Path

KEY = VerifierKey("id.example/log", bytes(32))


def note(size: int, root: int = 1) -> str:
    return Checkpoint(KEY.name, size, bytes([root]) * 32).note(KEY, bytes(64))


@pytest.fixture
def anchor(tmp_path: Path) -> Anchor:
    return Anchor(tmp_path / "else" / "where" / "log.anchor")


def test_an_anchor_begins_empty_and_keeps_what_it_was_given(anchor: Anchor) -> None:
    assert anchor.read() is None
    anchor.advance(None, note(1))
    anchor.advance(note(1), note(5))
    assert Anchor(anchor.path).read() == note(5)
    assert {file.name for file in anchor.path.parent.iterdir()} == {"log.anchor", "log.anchor.lock"}


def test_of_two_signers_one_loses(anchor: Anchor) -> None:
    anchor.advance(None, note(1))
    anchor.advance(note(1), note(3))
    with pytest.raises(AnchorMoved):
        anchor.advance(note(1), note(4))
    with pytest.raises(AnchorMoved):
        anchor.advance(None, note(4))
    assert anchor.read() == note(3)


def test_an_anchor_never_goes_back_nor_to_another_tree_of_its_size(anchor: Anchor) -> None:
    anchor.advance(None, note(5))
    with pytest.raises(AnchorBackwards):
        anchor.advance(note(5), note(4))
    with pytest.raises(AnchorBackwards):
        anchor.advance(note(5), note(5, root=2))
    anchor.advance(note(5), note(5))
    assert anchor.read() == note(5)


def test_what_is_no_checkpoint_is_not_anchored(anchor: Anchor) -> None:
    with pytest.raises(NoteInvalid):
        anchor.advance(None, "hello")
    assert anchor.read() is None


def test_a_second_signer_does_not_get_the_place_while_the_first_holds_it(anchor: Anchor) -> None:
    with anchor.sole_signer() as first, Anchor(anchor.path).sole_signer() as second:
        assert (first, second) == (True, False)
    with anchor.sole_signer() as again:
        assert again


def _race(path: Path, size: int) -> bool:
    try:
        Anchor(path).advance(note(1), note(size))
    except AnchorMoved:
        return False
    return True


def test_of_many_processes_that_swap_at_once_one_wins(anchor: Anchor) -> None:
    anchor.advance(None, note(1))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        won = pool.starmap(_race, [(anchor.path, size) for size in range(2, 12)])
    assert won.count(True) == 1
    assert anchor.read() == note(2 + won.index(True))

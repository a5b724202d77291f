"""Invariant 3: a sealed cell opens at its one place, under its one key, unchanged; and nowhere else."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import SealBroken
from keys.sealing import Binding, DataKey
from keys.sealing.cells import generation_of
from keys.sealing.open import open_cell
from keys.sealing.seal import seal_cell

words = st.text(min_size=1, max_size=12)
bindings = st.builds(Binding, table=words, column=words, row=words, person=words)
generations = st.integers(1, 2**32 - 1)
secrets = st.binary(min_size=32, max_size=32)


@given(bindings, generations, secrets, st.binary(max_size=300))
def test_what_is_sealed_opens_again(binding: Binding, generation: int, secret: bytes, plaintext: bytes) -> None:
    key = DataKey(binding.person, generation, secret)
    cell = seal_cell(key, binding, plaintext)
    assert open_cell(DataKey(binding.person, generation, secret), binding, cell) == plaintext
    assert generation_of(cell) == generation
    assert len(cell) == len(plaintext) + 34


@given(bindings, st.binary(max_size=40), st.data())
def test_any_flipped_bit_breaks_it(binding: Binding, plaintext: bytes, data: st.DataObject) -> None:
    key = DataKey(binding.person, 7, os.urandom(32))
    cell = bytearray(seal_cell(key, binding, plaintext))
    bit = data.draw(st.integers(0, len(cell) * 8 - 1))
    cell[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(SealBroken):
        open_cell(key, binding, bytes(cell))


@given(bindings, st.data())
def test_any_cut_breaks_it(binding: Binding, data: st.DataObject) -> None:
    key = DataKey(binding.person, 1, os.urandom(32))
    cell = seal_cell(key, binding, b"6471010101900001")
    with pytest.raises(SealBroken):
        open_cell(key, binding, cell[: data.draw(st.integers(0, len(cell) - 1))])


@given(bindings, st.sampled_from(["table", "column", "row", "person"]), words)
def test_any_other_place_breaks_it(binding: Binding, part: str, other: str) -> None:
    moved = replace(binding, **{part: getattr(binding, part) + other})
    key = DataKey(binding.person, 1, os.urandom(32))
    cell = seal_cell(key, binding, b"value")
    with pytest.raises(SealBroken):
        open_cell(key, moved, cell)
    with pytest.raises(SealBroken):  # not even when the mover brings a key object of that name
        open_cell(DataKey(moved.person, 1, key.secret), moved, cell)


@given(words, words, words)
def test_letters_that_move_between_parts_break_it(a: str, b: str, c: str) -> None:
    key = DataKey("p", 1, os.urandom(32))
    cell = seal_cell(key, Binding(a + b, c, "r", "p"), b"value")
    with pytest.raises(SealBroken):
        open_cell(key, Binding(a, b + c, "r", "p"), cell)


@given(bindings, st.lists(generations, min_size=2, max_size=2, unique=True))
def test_a_key_of_another_generation_is_not_even_tried(binding: Binding, pair: list[int]) -> None:
    secret = os.urandom(32)
    cell = seal_cell(DataKey(binding.person, pair[0], secret), binding, b"value")
    with pytest.raises(SealBroken):
        open_cell(DataKey(binding.person, pair[1], secret), binding, cell)


def test_one_persons_key_does_not_seal_for_another() -> None:
    with pytest.raises(SealBroken):
        seal_cell(DataKey("a", 1, os.urandom(32)), Binding("t", "c", "r", "b"), b"value")


def test_a_data_key_does_not_show_its_secret() -> None:
    key = DataKey("a", 1, b"S" * 32)
    assert "SSSS" not in repr(key)

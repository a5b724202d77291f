"""What people type to say who they are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.accounts import identifiers, names, numbers
from idp.accounts.records import Identifier, IdentifierKind


@pytest.mark.parametrize(
    "text", ["081234567890", "0812-3456-7890", "6281234567890", "+62 812 3456 7890", "62 812-3456-7890", " (0812) 3456 7890 "]
)
def test_all_ways_to_write_a_telephone_number_are_one_number(text: str) -> None:
    assert identifiers.parse(text) == Identifier(IdentifierKind.PHONE, "+6281234567890")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Siti@Contoh.ID", IdentifierKind.EMAIL, "siti@contoh.id"),
        ("  siti@contoh.id ", IdentifierKind.EMAIL, "siti@contoh.id"),
        ("6471051708900003", IdentifierKind.NIK, "6471051708900003"),
        ("6471 0517 0890 0003", IdentifierKind.NIK, "6471051708900003"),
        ("+60 12-345 6789", IdentifierKind.PHONE, "+60123456789"),
    ],
)
def test_identifiers_are_told_apart_and_normalised(text: str, kind: IdentifierKind, value: str) -> None:
    assert identifiers.parse(text) == Identifier(kind, value)


@pytest.mark.parametrize(
    "text", ["", " ", "siti", "siti@", "@contoh.id", "siti@contoh", "12", "9" * 300, "\0", "0000", "siti@contoh.id\nbcc:x@y.id"]
)
def test_what_is_no_identifier_is_none(text: str) -> None:
    assert identifiers.parse(text) is None


def test_only_addresses_that_codes_reach_are_contacts() -> None:
    assert identifiers.contact("siti@contoh.id") is not None
    assert identifiers.contact("081234567890") is not None
    assert identifiers.contact("6471051708900003") is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    found = identifiers.parse(text)
    assert found is None or identifiers.parse(found.value) == found


def test_account_numbers_hold_a_check_digit_that_finds_every_single_slip() -> None:
    chance = random.Random(1)
    for _ in range(200):
        number = numbers.draw(lambda n: "".join(chance.choice("0123456789") for _ in range(n)))
        assert numbers.is_number(number)
        assert identifiers.parse(number) == Identifier(IdentifierKind.NUMBER, number)
        place = chance.randrange(numbers.LENGTH)
        other = chance.choice([digit for digit in "0123456789" if digit != number[place]])
        assert not numbers.is_number(number[:place] + other + number[place + 1 :])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Siti", "Siti"),
        ("  Siti   Aminah ", "Siti Aminah"),
        ("Ma'ruf bin Ṭāhir", "Ma'ruf bin Ṭāhir"),
        ("A", "A"),
        ("", None),
        ("   ", None),
        ("123", None),
        ("x" * 121, None),
        ("Siti\0", None),
        ("Siti\u202eAminah", None),
    ],
)
def test_one_word_is_a_whole_name(text: str, name: str | None) -> None:
    assert names.normalise(text) == name


@pytest.mark.parametrize(
    ("identifier", "shown"),
    [
        (Identifier(IdentifierKind.EMAIL, "siti@contoh.id"), "s•••@contoh.id"),
        (Identifier(IdentifierKind.PHONE, "+6281234567890"), "+62•••890"),
        (Identifier(IdentifierKind.NIK, "6471051708900003"), "6471••••••••0003"),
    ],
)
def test_identifiers_are_shown_masked(identifier: Identifier, shown: str) -> None:
    assert identifiers.masked(identifier) == shown

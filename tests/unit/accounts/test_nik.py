"""The NIK: what is one, what only looks odd, what is none."""

from __future__ import annotations

import datetime as dt

import pytest

from idp.accounts import nik
from idp.accounts.nik import Nik, NikRefused


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("6471051708900003", ()),
        ("6471055708900003", ()),  # a woman: day 17 + 40
        ("64.71.05-170890-0003", ()),
        (" 6471 0517 0890 0003 ", ()),
        ("9671051708900001", ()),  # Papua Barat Daya, a province since 2022
        ("9971051708900001", ("region",)),
        ("6471053213900003", ("date",)),  # the date does not exist, the number does
        ("6471052902010003", ("date",)),  # 2001 and 1901 have no 29 February
        ("6471052902000003", ()),  # 2000 has
    ],
)
def test_a_nik_is_sixteen_digits_and_an_odd_region_or_date_only_warns(text: str, warnings: tuple[str, ...]) -> None:
    found = nik.parse(text)
    assert isinstance(found, Nik)
    assert found.warnings == warnings


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "digits"),
        ("647105170890000", "length"),
        ("64710517089000031", "length"),
        ("6471051708900000", "serial"),
        ("647105170890000x", "digits"),
        ("٦٤٧١٠٥١٧٠٨٩٠٠٠٠٣", "digits"),
    ],
)
def test_what_is_no_nik_is_refused_with_a_reason(text: str, reason: str) -> None:
    assert nik.parse(text) == NikRefused(reason)


@pytest.mark.parametrize(
    ("birthdate", "warnings"),
    [
        (dt.date(1990, 8, 17), ()),
        (dt.date(1990, 8, 18), ("birthdate",)),
        (dt.date(1890, 8, 17), ()),  # two digits of the year say no more
    ],
)
def test_a_birth_date_that_does_not_fit_is_a_warning_and_never_a_refusal(birthdate: dt.date, warnings: tuple[str, ...]) -> None:
    for number in ("6471051708900003", "6471055708900003"):
        assert nik.parse(number, birthdate) == Nik(number, warnings)


def test_a_nik_is_shown_masked() -> None:
    assert nik.masked("6471051708900003") == "6471••••••••0003"

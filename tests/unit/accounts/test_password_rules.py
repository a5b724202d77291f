"""Password rules: length and common ones, never composition."""

from __future__ import annotations

import pytest

from idp.accounts.password_rules import problem

OWN = ("Siti Aminah", "siti.aminah@contoh.id", "+6281234567890")


@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("pendek", "short"),
        ("x" * 1025, "long"),
        ("1234567890", "common"),
        ("0987654321", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("Balikpapan2026!", "common"),
        ("bismillah123", "common"),
        ("qwertyuiop", "common"),
        ("sayangsayang", "common"),
        ("12345678901234567890", "common"),
        ("sitiaminah1990", "own"),
        ("Siti Aminah!!", "own"),
        ("jalan kenanga biru", None),  # spaces, lower case, no digit: a good one
        ("kucingoranyetidur", None),
        ("ጥሩ የይለፍ ቃል ነው", None),
        ("🌊🌋🏝🦧🐒🌴🛶🏔🌅🎣", None),
    ],
)
def test_length_and_common_passwords_are_all_that_is_refused(password: str, found: str | None) -> None:
    assert problem(password, shortest=10, own=OWN) == found

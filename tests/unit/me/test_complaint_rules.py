"""law.md R16: what a complaint and its answer may say."""

from __future__ import annotations

import pytest

from idp.handling.rules import answer_of, reason_of
from idp.me.complaint_rules import text_of


@pytest.mark.parametrize("typed", ["", "   abc  ", "x" * 2001, "ada\0nul", "ada\x1bkendali", "ada \ud800 separuh"])
def test_what_is_too_short_too_long_or_no_text_is_no_complaint(typed: str) -> None:
    assert text_of(typed) is None


def test_line_ends_of_forms_and_split_letters_become_plain() -> None:
    assert text_of(" baris satu\r\nbaris dua\rtiga\t!  ") == "baris satu\nbaris dua\ntiga\t!"
    assert text_of("cafe\u0301 tua") == "caf\u00e9 tua"
    assert text_of("x" * 2000) is not None
    assert text_of("hati \U0001f600 hati") is not None


def test_a_reason_is_one_line_of_some_length_and_an_answer_is_text() -> None:
    assert reason_of(" memeriksa \n aduan ini ") == "memeriksa aduan ini"
    assert (reason_of("cek"), reason_of("x" * 301)) == (None, None)
    assert answer_of("baris satu\r\nbaris dua") == "baris satu\nbaris dua"
    assert (answer_of("pendek"), answer_of("x" * 2001), answer_of("dengan \0 nul di sini")) == (None, None, None)

"""How personal values read to their owner."""

from __future__ import annotations

import pytest

from idp.pages.values import readable


@pytest.mark.parametrize(
    ("claim", "value", "shown"),
    [
        ("nik", "6471015502900003", "6471••••••••0003"),
        ("nik", "12", "12"),
        ("birthdate", "1990-03-12", "12 Mar 1990"),
        ("birthdate", "1990", "1990"),
        ("gender", "female", "Perempuan"),
        ("gender", "lain", "lain"),
        ("email_verified", "true", "Sudah diperiksa"),
        ("address", '{"formatted": "Jalan Contoh 1\\nBalikpapan 76111"}', "Jalan Contoh 1, Balikpapan 76111"),
        ("address", '{"street_address": "Jalan Contoh 1", "locality": "Balikpapan"}', "Jalan Contoh 1, Balikpapan"),
        ("address", "Jalan Contoh 1", "Jalan Contoh 1"),
        ("address", "12", "12"),
        ("locale", "id-ID", "Indonesia"),
        ("locale", "??", "??"),
        ("phone_number", "+6281250000001", "0812-5000-0001"),
        ("phone_number", "+4915100000000", "+4915100000000"),
        ("email", "siti@contoh.id", "siti@contoh.id"),
    ],
)
def test_a_value_reads_as_people_write_it(claim: str, value: str, shown: str) -> None:
    assert readable(claim, value, "id") == shown

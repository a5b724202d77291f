"""law.md R9: what a citizen says about themselves is read strictly; what somebody verified is not theirs to change."""

from __future__ import annotations

import json

import pytest

from idp.me.correction_rules import changed, fields_of, read

HOME = {"street_address": "Jalan  Mawar 5\r\nRT 03", "locality": "Balikpapan", "region": "Kalimantan Timur", "postal_code": "76111"}


def test_an_address_is_kept_as_openid_connect_writes_it() -> None:
    stated = read({"name": "Siti", "gender": "female", **HOME}, ())
    address = json.loads(stated.values["address"])
    assert address["street_address"] == "Jalan Mawar 5 RT 03"
    assert address["formatted"] == "Jalan Mawar 5 RT 03\nBalikpapan 76111\nKalimantan Timur"
    assert fields_of(stated.values) == {"name": "Siti", "gender": "female", **HOME, "street_address": "Jalan Mawar 5 RT 03"}


def test_empty_fields_are_dropped_and_the_name_stays_demanded() -> None:
    assert read({"name": "Siti"}, ()).unsaid == {"gender", "address"}
    assert read({"name": " "}, ()).errors == {"name"}


def test_what_was_verified_is_not_taken() -> None:
    stated = read({"name": "Orang Lain", "gender": "male", **HOME}, {"name", "address"})
    assert (dict(stated.values), stated.unsaid) == ({"gender": "male"}, frozenset())


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"gender": "other"}, {"gender"}),
        ({"locality": "Balikpapan"}, {"street_address"}),
        ({**HOME, "street_address": "x" * 201}, {"street_address"}),
        ({**HOME, "region": "Kal\x00tim"}, {"region"}),
        ({**HOME, "postal_code": "1" * 11, "locality": "x" * 81}, {"postal_code", "locality"}),
    ],
)
def test_what_cannot_be_used_is_named_by_its_field(fields: dict[str, str], wrong: set[str]) -> None:
    assert read({"name": "Siti", **fields}, ()).errors == wrong


def test_only_what_differs_is_a_change() -> None:
    stated = read({"name": "Siti", "gender": "female"}, ())
    assert changed(stated, {"name": "Siti", "address": "Jalan Mawar 5"}) == ("address", "gender")
    assert changed(stated, {"name": "Siti", "gender": "female"}) == ()
    assert fields_of({"address": "Jalan Mawar 5"})["street_address"] == "Jalan Mawar 5"

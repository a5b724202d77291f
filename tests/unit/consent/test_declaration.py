"""law.md R1 to R5, R31, R33: a declaration is complete and lawful, or refused by the name of its field."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from consent.errors import PurposeRefused
from consent.purposes.declaration import FIELDS, build, content_hash, long_sentences, parse

DEMO = Path(__file__).parents[3] / "idp" / "demo" / "purposes"
TEXTS = ("agency_name", "title", "text", "legality", "details", "retention", "period", "recipients", "rights")
BASE: dict[str, Any] = {
    "id": "izin",
    "agency": "dpmptsp",
    "basis": "c",
    "legal_ref": "PP 5/2021",
    "max_validity_days": 365,
    "required": [{"claim": "nik", "relevance": {"id": "Wajib.", "en": "Demanded."}}],
    "optional": [{"claim": "email", "relevance": {"id": "Kabar.", "en": "News."}}],
} | {field: {"id": f"{field} di sini.", "en": f"{field} here."} for field in TEXTS}


def toml(content: dict[str, Any]) -> str:
    """Write content as TOML by inline tables."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in content.items())


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {_value(entry)}' for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    return str(value) if isinstance(value, int) else '"' + str(value).replace("\n", "\\n") + '"'


def without(content: dict[str, Any], path: str) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    copy = dict(content)
    if rest:
        copy[head] = without(copy[head], rest)
    else:
        del copy[head]
    return copy


def need(claim: str, **relevance: str) -> dict[str, Any]:
    return {"claim": claim, "relevance": relevance or {"id": "Perlu.", "en": "Needed."}}


def refused(content: dict[str, Any]) -> str:
    with pytest.raises(PurposeRefused) as caught:
        parse(toml(content))
    assert caught.value.why
    return caught.value.field


def test_a_complete_declaration_is_taken_as_it_stands() -> None:
    assert parse(toml(BASE)) == BASE


@pytest.mark.parametrize("field", sorted(FIELDS - {"optional"}))
def test_a_missing_field_is_named(field: str) -> None:
    assert refused(without(BASE, field)) == field


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(PurposeRefused, match=r"^basis: missing; missing too: agency_name, .*, required$"):
        parse('id = "aduan"\nagency = "dinkes"')


@pytest.mark.parametrize("field", [f"{text}.{language}" for text in TEXTS for language in ("id", "en")])
def test_a_missing_language_is_named(field: str) -> None:
    assert refused(without(BASE, field)) == field


@pytest.mark.parametrize("field", [f"{text}.{language}" for text in TEXTS for language in ("id", "en")])
def test_an_empty_text_is_missing_too(field: str) -> None:
    text, language = field.split(".")
    assert refused(BASE | {text: BASE[text] | {language: "  "}}) == field


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"relevance": {"id": "Perlu.", "en": "Needed."}}, "required[0].claim"),
        ({"claim": "nik"}, "required[0].relevance"),
        (need("nik", id="Perlu."), "required[0].relevance.en"),
        (need("nik", en="Needed."), "required[0].relevance.id"),
        (need("nik") | {"why": "x"}, "required[0].why"),
        ("nik", "required[0]"),
        (need("shoe_size"), "required[0].claim"),
        (need("sub"), "required[0].claim"),
        ({"claim": 3, "relevance": {"id": "a", "en": "b"}}, "required[0].claim"),
    ],
)
def test_each_kind_of_data_has_a_known_name_and_its_relevance(entry: object, field: str) -> None:
    assert refused(BASE | {"required": [entry]}) == field


def test_optional_kinds_of_data_are_checked_alike() -> None:
    assert refused(BASE | {"optional": [need("email"), need("phone_number", id="Perlu.")]}) == "optional[1].relevance.en"


@pytest.mark.parametrize("claim", ["fingerprint", "iris", "signature", "disability", "sidik_jari", "Iris"])
def test_specially_protected_data_is_never_declared(claim: str) -> None:
    assert refused(BASE | {"optional": [need(claim)]}) == "optional[0].claim"


@pytest.mark.parametrize("basis", ["", "g", "A", "ab", ["a", "c"], 3])
def test_the_lawful_basis_is_exactly_one_of_six(basis: object) -> None:
    assert refused(BASE | {"basis": basis}) == "basis"


@pytest.mark.parametrize("basis", ["b", "c", "d", "e", "f"])
def test_every_basis_but_consent_names_what_it_rests_on(basis: str) -> None:
    content = without(BASE, "legal_ref") | {"basis": basis, "required": [need("name")]}
    assert refused(content) == "legal_ref"


def test_consent_needs_no_reference() -> None:
    content = without(BASE, "legal_ref") | {"basis": "a", "required": [need("name")]}
    assert parse(toml(content))["legal_ref"] is None


@pytest.mark.parametrize("basis", ["a", "b", "d", "f"])
def test_the_nik_needs_a_legal_duty(basis: str) -> None:
    assert refused(BASE | {"basis": basis}) == "basis"


def test_the_nik_cannot_be_optional() -> None:
    assert refused(BASE | {"required": [], "optional": [need("nik")]}) == "optional"


def test_one_kind_of_data_stands_once() -> None:
    assert refused(BASE | {"optional": [need("nik")]}) == "required"


@pytest.mark.parametrize("days", [0, -1, 3661, True, "365"])
def test_the_maximum_validity_is_a_number_of_days(days: object) -> None:
    assert refused(BASE | {"max_validity_days": days}) == "max_validity_days"


@pytest.mark.parametrize("identifier", ["", "Izin", "izin usaha", "1izin", "i" * 64, "izin:x", "izin/x"])
def test_an_identifier_fits_into_an_address_and_a_scope(identifier: str) -> None:
    assert refused(BASE | {"id": identifier}) == "id"


def test_an_unknown_field_is_a_typing_mistake() -> None:
    assert refused(BASE | {"retension": "x"}) == "retension"


@pytest.mark.parametrize("text", ["id = ", "\x00", "id = 'a'\nid = 'b'", "x" * 70000])
def test_what_is_not_toml_is_refused(text: str) -> None:
    with pytest.raises(PurposeRefused) as caught:
        parse(text)
    assert caught.value.field == "file"


def test_other_languages_may_be_added() -> None:
    assert parse(toml(BASE | {"title": BASE["title"] | {"bjn": "Banjar."}}))["title"]["bjn"] == "Banjar."


def test_equal_content_has_an_equal_hash_however_it_was_written() -> None:
    assert content_hash(parse(toml(dict(reversed(BASE.items()))))) == content_hash(parse(toml(BASE)))
    assert content_hash(parse(toml(BASE | {"max_validity_days": 364}))) != content_hash(parse(toml(BASE)))


@pytest.mark.parametrize("file", sorted(DEMO.glob("*.toml")), ids=lambda file: file.stem)
def test_the_demo_declarations_are_complete_and_plain(file: Path) -> None:
    purpose = build(parse(file.read_text(encoding="utf-8")), 1, dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    assert purpose.id == file.stem
    assert long_sentences(purpose) == []


def test_long_sentences_are_pointed_out() -> None:
    content = parse(toml(BASE | {"text": {"id": "Satu dua. " + "kata " * 16, "en": "Short."}}))
    purpose = build(content, 1, dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    assert [field for field, _ in long_sentences(purpose)] == ["text.id"]

"""UU 27/2022 Art. 20 to 22 (law.md R1 to R5, R31, R33): from the TOML of a purpose declaration to its checked content.

Pure: text in; out comes content, or a refusal that names the field.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any

import rfc8785

from consent.errors import PurposeRefused
from consent.purposes.vocabulary import FORBIDDEN_CLAIMS, KNOWN_CLAIMS, NIK_BASES
from consent.records import LANGUAGES, ClaimNeed, LegalBasis, Purpose

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

TEXTS = ("agency_name", "title", "text", "legality", "details", "retention", "period", "recipients", "rights")
DEMANDED = ("id", "agency", "basis", *TEXTS, "max_validity_days", "required")
FIELDS = frozenset({*DEMANDED, "legal_ref", "optional"})

_ID = re.compile(r"[a-z][a-z0-9._-]{0,62}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_LONGEST_TEXT = 2000
_LONGEST_VALIDITY = 3660
_LONGEST_FILE = 65536
_LONGEST_SENTENCE = 15


def parse(toml_text: str) -> dict[str, Any]:
    """Turn a declaration into its content: plain JSON values, complete and checked.

    Raises: PurposeRefused, whose `field` names the first thing that is missing or wrong.
    """
    found = _load(toml_text)
    for field in found:
        if field not in FIELDS:
            raise PurposeRefused(field, f"unknown field; known are {', '.join(sorted(FIELDS))}")
    _all_there(found)
    basis = _basis(found)
    content: dict[str, Any] = {"id": _identifier(found, "id"), "agency": _identifier(found, "agency")}
    content |= {field: _text(found.get(field), field) for field in TEXTS}
    content |= {"basis": basis.value, "legal_ref": _legal_ref(found, basis), "max_validity_days": _days(found)}
    content["required"] = _needs(_present(found, "required"), "required")
    content["optional"] = _needs(found.get("optional", []), "optional")
    _check_claims(content, basis)
    return content


def is_id(text: str) -> bool:
    """Tell whether a purpose can have this id at all: what strangers make up is not looked up."""
    return _ID.fullmatch(text) is not None


def content_hash(content: Mapping[str, Any]) -> str:
    """Hash a declaration's content: SHA-256 over RFC 8785, in hexadecimal; equal content has an equal hash however it was written."""
    return hashlib.sha256(rfc8785.dumps(dict(content))).hexdigest()


def build(content: Mapping[str, Any], version: int, declared_at: dt.datetime) -> Purpose:
    """Make the record of one version."""
    return Purpose(
        version=version,
        basis=LegalBasis(content["basis"]),
        required=_built(content["required"]),
        optional=_built(content["optional"]),
        text_hash=content_hash(content),
        declared_at=declared_at,
        **{field: content[field] for field in ("id", "agency", "legal_ref", "max_validity_days", *TEXTS)},
    )


def long_sentences(purpose: Purpose) -> Sequence[tuple[str, str]]:
    """Give (field, sentence) for each sentence beyond 15 words (law.md R5): advice to the agency, no ground to refuse."""
    return [
        (f"{field}.{language}", sentence)
        for field in TEXTS
        for language, text in getattr(purpose, field).items()
        for sentence in re.split(r"(?<=[.!?])\s+", text)
        if len(sentence.split()) > _LONGEST_SENTENCE
    ]


def _built(needs: Sequence[Mapping[str, Any]]) -> tuple[ClaimNeed, ...]:
    return tuple(ClaimNeed(need["claim"], need["relevance"]) for need in needs)


def _load(toml_text: str) -> dict[str, Any]:
    if len(toml_text) > _LONGEST_FILE:
        raise PurposeRefused("file", f"longer than {_LONGEST_FILE} characters")
    try:
        return tomllib.loads(toml_text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PurposeRefused("file", f"not TOML: {error}") from error


def _all_there(found: Mapping[str, Any]) -> None:
    """UU 27/2022 Art. 21: every item is told; whoever writes a declaration learns all that is missing at once."""
    missing = [field for field in DEMANDED if field not in found]
    if missing:
        raise PurposeRefused(missing[0], "missing" + (f"; missing too: {', '.join(missing[1:])}" if missing[1:] else ""))


def _present(found: Mapping[str, Any], field: str) -> object:
    if field not in found:
        raise PurposeRefused(field, "missing")
    return found[field]


def _identifier(found: Mapping[str, Any], field: str) -> str:
    value = _present(found, field)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise PurposeRefused(field, "must be lower-case letters, digits, '.', '_' or '-', beginning with a letter, at most 63")
    return value


def _basis(found: Mapping[str, Any]) -> LegalBasis:
    value = _present(found, "basis")
    if not isinstance(value, str) or value not in set(LegalBasis):
        raise PurposeRefused("basis", "must be exactly one letter a to f (UU 27/2022 Art. 20(2))")
    return LegalBasis(value)


def _legal_ref(found: Mapping[str, Any], basis: LegalBasis) -> str | None:
    value = found.get("legal_ref")
    if value is None and basis is LegalBasis.CONSENT:
        return None
    if value is None:
        raise PurposeRefused("legal_ref", f"missing: basis {basis.value} must name the law, contract or authority it rests on")
    return _line(value, "legal_ref")


def _line(value: object, field: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PurposeRefused(field, "must be a text that is not empty")
    if len(value) > _LONGEST_TEXT:
        raise PurposeRefused(field, f"longer than {_LONGEST_TEXT} characters")
    if any(ord(character) < ord(" ") and character not in "\n\t" for character in value):
        raise PurposeRefused(field, "holds control characters")
    return value.strip()


def _text(value: object, field: str) -> dict[str, str]:
    if value is None:
        raise PurposeRefused(field, "missing")
    if not isinstance(value, dict):
        raise PurposeRefused(field, "must be a table with a text for each language: id, en")
    for language in LANGUAGES:
        if language not in value:
            raise PurposeRefused(f"{field}.{language}", "missing")
    for language in value:
        if not _LANGUAGE.fullmatch(language):
            raise PurposeRefused(f"{field}.{language}", "not a language code")
    return {language: _line(text, f"{field}.{language}") for language, text in value.items()}


def _days(found: Mapping[str, Any]) -> int:
    value = _present(found, "max_validity_days")
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LONGEST_VALIDITY:
        raise PurposeRefused("max_validity_days", f"must be a whole number of days from 1 to {_LONGEST_VALIDITY}")
    return value


def _needs(value: object, field: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise PurposeRefused(field, f"must be an array of tables: [[{field}]] with claim and relevance")
    return [_need(entry, f"{field}[{position}]") for position, entry in enumerate(value)]


def _need(entry: object, field: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise PurposeRefused(field, "must be a table with claim and relevance")
    for key in entry:
        if key not in {"claim", "relevance"}:
            raise PurposeRefused(f"{field}.{key}", "unknown field; known are claim, relevance")
    claim = entry.get("claim")
    if claim is None:
        raise PurposeRefused(f"{field}.claim", "missing")
    if not isinstance(claim, str):
        raise PurposeRefused(f"{field}.claim", "must be the name of a kind of data")
    if claim.lower() in FORBIDDEN_CLAIMS:
        raise PurposeRefused(f"{field}.claim", f"{claim} is specially protected and never kept (UU 24/2013 Art. 84)")
    if claim not in KNOWN_CLAIMS:
        raise PurposeRefused(f"{field}.claim", f"unknown: {claim!r}; known are {', '.join(sorted(KNOWN_CLAIMS))}")
    return {"claim": claim, "relevance": _text(entry.get("relevance"), f"{field}.relevance")}


def _check_claims(content: Mapping[str, Any], basis: LegalBasis) -> None:
    names = [need["claim"] for need in (*content["required"], *content["optional"])]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PurposeRefused("required", f"{twice[0]} is named twice")
    if "nik" not in names:
        return
    if basis not in NIK_BASES:
        raise PurposeRefused("basis", "nik is released only on basis c or e with its legal_ref (Perpres 83/2021)")
    if any(need["claim"] == "nik" for need in content["optional"]):
        raise PurposeRefused("optional", "nik rests on a legal duty and cannot be optional (Perpres 83/2021)")

"""law.md R9 (UU 27/2022 Art. 6, 30): what a citizen may say about themselves, and how it is read. OIDC Core §5.1.1 for addresses. Pure."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from idp.accounts import names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

OWN_WORDS: Final = ("name", "gender", "address")
"""What is kept as the citizen states it. A birth date decides about guardians, identifiers sign in: those change elsewhere."""

GENDERS: Final = ("female", "male")
ADDRESS: Final = {"street_address": 200, "locality": 80, "region": 80, "postal_code": 10}
"""The parts of an address, and how long each may be."""

FIELDS: Final = ("name", "gender", *ADDRESS)

_SEPARATORS: Final = frozenset("\r\n\t")


@dataclass(frozen=True, slots=True)
class Stated:
    """A form understood: `values` to keep, `unsaid` to drop, or `errors`: the fields that cannot be used."""

    values: Mapping[str, str] = field(default_factory=dict)
    unsaid: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()


def read(fields: Mapping[str, str], verified: Collection[str]) -> Stated:
    """Read the form; what somebody verified is not asked and not taken."""
    readers = {"name": _name, "gender": _gender, "address": _address}
    found = {claim: readers[claim](fields) for claim in OWN_WORDS if claim not in verified}
    errors = {wrong for value in found.values() if isinstance(value, frozenset) for wrong in value}
    if errors:
        return Stated(errors=frozenset(errors))
    values = {claim: value for claim, value in found.items() if isinstance(value, str)}
    return Stated(values, frozenset(found) - frozenset(values))


def changed(stated: Stated, before: Mapping[str, str]) -> tuple[str, ...]:
    """Name the claims that would change: nothing is written, and no entry made, when nothing does."""
    new = {claim for claim, value in stated.values.items() if before.get(claim) != value}
    return tuple(sorted(new | (stated.unsaid & frozenset(before))))


def fields_of(values: Mapping[str, str]) -> dict[str, str]:
    """Give stored values as the form shows them."""
    parts = _parts(values.get("address"))
    shown = {"name": values.get("name", ""), "gender": values.get("gender", "")}
    return shown | {part: str(parts.get(part, "")) for part in ADDRESS}


def _parts(address: str | None) -> dict[str, Any]:
    """Read a kept address; one that is a plain line is a street."""
    if not address:
        return {}
    try:
        parts = json.loads(address)
    except ValueError:
        return {"street_address": address}
    return parts if isinstance(parts, dict) else {"street_address": address}


def _name(fields: Mapping[str, str]) -> str | frozenset[str]:
    return names.normalise(fields.get("name", "")) or frozenset({"name"})


def _gender(fields: Mapping[str, str]) -> str | frozenset[str] | None:
    chosen = fields.get("gender", "")
    return chosen if chosen in GENDERS else None if not chosen else frozenset({"gender"})


def _address(fields: Mapping[str, str]) -> str | frozenset[str] | None:
    parts = {part: _line(fields.get(part, "")) for part in ADDRESS}
    wrong = {part for part, text in parts.items() if len(text) > ADDRESS[part] or not _printable(text)}
    said = {part: text for part, text in parts.items() if text}
    if said and "street_address" not in said:
        wrong.add("street_address")
    if wrong:
        return frozenset(wrong)
    if not said:
        return None
    town = " ".join(said[part] for part in ("locality", "postal_code") if part in said)
    formatted = "\n".join(line for line in (said["street_address"], town, said.get("region", "")) if line)
    return json.dumps({"formatted": formatted, **said, "country": "ID"}, ensure_ascii=False)


def _line(text: str) -> str:
    """Make one line of what was typed, with composed letters."""
    return " ".join("".join(" " if letter in _SEPARATORS else letter for letter in unicodedata.normalize("NFC", text)).split())


def _printable(text: str) -> bool:
    return not any(unicodedata.category(letter).startswith("C") for letter in text)

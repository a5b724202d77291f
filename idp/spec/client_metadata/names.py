"""RFC 7591 §2, §5, RFC 8264 §4: names that people read, and ids. What could deceive a reader is refused.

RFC 7591 §5: "the authorization server MUST take steps to mitigate this risk": somebody who shows a false name to the citizen.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from idp.spec import scopes
from idp.spec.client_metadata.records import Problem
from idp.spec.client_metadata.vocabulary import APPROVED, DEFAULT_GRANT_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_NAME: Final = 100
MAX_WORD: Final = 255
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}")
_PURPOSE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TYPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")
_LOOK_ALIKE: Final = ("LATIN", "CYRILLIC", "GREEK")


def problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Name what is wrong with names and ids."""
    if "client_name" not in document:
        yield Problem("client_name", "say how citizens know the application")
    for name, value in document.items():
        why = why_not(value) if name.partition("#")[0] == "client_name" else None
        if why:
            yield Problem(name, why)
    for name in ("contacts", "software_id", "software_version"):
        values = document.get(name, ())
        if any(len(value) > MAX_WORD or not value.isprintable() for value in ([values] if isinstance(values, str) else values)):
            yield Problem(name, f"use at most {MAX_WORD} printable characters")
    if "client_id" in document and not _ID.fullmatch(document["client_id"]):
        yield Problem("client_id", "use 3 to 64 letters, digits, dots, hyphens and underscores")
    if scopes.parse(document.get("scope", "openid")) is None:
        yield Problem("scope", "it has a character that RFC 6749 does not allow")
    if not all(_TYPE.fullmatch(kind) for kind in document.get("authorization_details_types", ())):
        yield Problem("authorization_details_types", "each is at most 255 printable ASCII characters without a space")


def why_not(name: str) -> str | None:
    """Say why a name may not be shown to people; None when it may.

    Control and format characters (category C) can turn the reading order, hide, or break out of a line; letters of scripts that look
    alike, mixed in one name, can imitate another one (Unicode TR 39 §5).
    """
    if len(name) > MAX_NAME:
        return f"use at most {MAX_NAME} characters"
    if not name.isprintable():
        return "it has invisible characters: control, direction or format characters"
    if sum(map(_marks_too_many, name)) > len(name) // 2:
        return "it has more marks than letters"
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in name if letter.isalpha()}
    return "it mixes letters of scripts that look alike" if len(scripts & set(_LOOK_ALIKE)) > 1 else None


def _marks_too_many(letter: str) -> bool:
    return unicodedata.combining(letter) > 0


def purposes(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Name what is wrong with the purposes of an application that staff registers."""
    named, default = document.get("purposes", ()), document.get("default_purpose")
    if any(not _PURPOSE.fullmatch(purpose) for purpose in named):
        yield Problem("purposes", "these are no ids of purposes")
    if default is not None and default not in named:
        yield Problem("default_purpose", "it must be one of purposes")
    if not named and APPROVED & set(document.get("grant_types", DEFAULT_GRANT_TYPES)):
        yield Problem("purposes", "name at least one declared purpose: nothing is read without one")

"""RFC 7591 §2: of which kind each field is. What passes here can be read without a surprise by the rules that follow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from idp.spec import redirect_uris
from idp.spec.client_metadata.records import Problem
from idp.spec.client_metadata.vocabulary import (
    CHOICES,
    IMPLICIT,
    IMPLICIT_RESPONSE_TYPES,
    KNOWN,
    LISTS,
    LOCALIZED,
    NUMBERS,
    SWITCHES,
    TEXTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_ITEMS: Final = 50
MAX_SECONDS: Final = 10**9
_TAGGED: Final = re.compile(r"([a-z_]{1,40})#[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4}")


def problems(document: Mapping[str, Any], *, implicit: bool) -> Iterator[Problem]:
    """Name what is no field, or not of its field's kind. `implicit`: response types of the certification plans are taken."""
    for name in sorted(name for name in document if name not in KNOWN and not is_localized(name)):
        yield Problem(name, "it is not a field of a registration")
    for name in (*TEXTS, *filter(is_localized, document)):
        if name in document and not _is_text(document[name]):
            yield Problem(name, f"it must be a text of 1 to {redirect_uris.MAX_LENGTH} characters")
        elif name in document and name in CHOICES and document[name] not in CHOICES[name]:
            yield Problem(name, f"choose one of {', '.join(CHOICES[name])}")
    yield from _lists(document, implicit=implicit)
    for name in SWITCHES:
        if not isinstance(document.get(name, False), bool):
            yield Problem(name, "it must be true or false")
    for name in NUMBERS:
        value = document.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SECONDS:
            yield Problem(name, "it must be a whole number of seconds")


def is_localized(name: str) -> bool:
    """Tell whether a name is that of a human-readable field with a language tag (RFC 7591 §2.2)."""
    tagged = _TAGGED.fullmatch(name)
    return tagged is not None and tagged[1] in LOCALIZED


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= redirect_uris.MAX_LENGTH


def _lists(document: Mapping[str, Any], *, implicit: bool) -> Iterator[Problem]:
    further = {"grant_types": (IMPLICIT,), "response_types": IMPLICIT_RESPONSE_TYPES} if implicit else {}
    for name, known in LISTS.items():
        value = document.get(name, [])
        if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS or not all(_is_text(item) for item in value):
            yield Problem(name, f"it must be a list of at most {MAX_ITEMS} texts")
        elif len(set(value)) != len(value):
            yield Problem(name, "it names something twice")
        elif known is not None and not {_sorted(item) for item in value} <= set(map(_sorted, choices := (*known, *further.get(name, ())))):
            yield Problem(name, f"choose among {', '.join(choices)}")


def _sorted(words: str) -> str:
    """Multiple Response Types §3: "The order of the values does not matter."."""
    return " ".join(sorted(words.split(" ")))

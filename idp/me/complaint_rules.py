"""law.md R16 (UU 27/2022 Art. 14): what a citizen may write in a complaint, and what the pages say about one. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

from idp.complaints.records import LONGEST

LEAST: Final = 5
_LAYOUT: Final = frozenset("\n\t")


def text_of(typed: str) -> str | None:
    """Give the text with composed letters and plain line ends; None when it is too short, too long, or no text.

    RFC 9110 and HTML: forms send line ends as CR LF, which are not two letters to whoever typed them.
    """
    text = unicodedata.normalize("NFC", typed.replace("\r\n", "\n").replace("\r", "\n")).strip()
    strange = any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} and letter not in _LAYOUT for letter in text)
    return None if strange or not LEAST <= len(text) <= LONGEST else text

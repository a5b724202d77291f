"""Names as they stand on KTP or KK: one field, one word is enough, nothing is invented."""

from __future__ import annotations

import unicodedata

LONGEST = 120


def normalise(text: str) -> str | None:
    """Give the name with single spaces and composed letters; None when it is empty, too long, or holds control characters."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(name) <= LONGEST:
        return None
    if any(unicodedata.category(c).startswith("C") for c in name) or not any(c.isalpha() for c in name):
        return None
    return name


def initial(name: str) -> str:
    """Give the first letter and an ellipsis: enough for its owner, too little for a stranger ("Lanjut sebagai S…?")."""
    return f"{name[:1].upper()}…"

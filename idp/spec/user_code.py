"""RFC 8628 §6.1: the code that a person carries from a device to a page. Pure.

Digits, because they are typed on the number pad of any telephone and read aloud without doubt; the section names nine as an example.
"""

from __future__ import annotations

DIGITS = 9
_GROUP = 3


def shown(code: str) -> str:
    """Write a code as people read it: 482-193-605."""
    return "-".join(code[at : at + _GROUP] for at in range(0, DIGITS, _GROUP))


def typed(text: str) -> str | None:
    """Read what somebody typed, whatever stands between the digits; None when it is no code.

    §6.1: "the server can strip the dashes and other punctuation that it added for readability".
    """
    digits = "".join(character for character in text if character.isdecimal() and character.isascii())
    rest = set(text) - set(digits) - set(" -.\u2013\u00a0")
    return digits if len(digits) == DIGITS and not rest else None

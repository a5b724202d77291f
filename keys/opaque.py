"""Opaque values: tokens, identifiers and codes that mean nothing by themselves, and the successor kept under its predecessor."""

from __future__ import annotations

import os
import secrets
from binascii import b2a_base64
from typing import Final

from keys.boxes import open_box, seal_box

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def new_token(nbytes: int = 32) -> str:
    """Give a random token of `nbytes` bytes as base64url (RFC 6749 §10.10 asks for at most 2^-128 chance of a guess; this is 2^-256)."""
    return secrets.token_urlsafe(nbytes)


def new_id() -> str:
    """Give a random identifier: 128 bits, 22 characters of base64url; never one that a command line takes for an option."""
    made = b2a_base64(os.urandom(16), newline=False)[:22].translate(_URL_SAFE).decode()
    return new_id() if made.startswith("-") else made


def new_code(digits: int) -> str:
    """Give a random decimal code of exactly `digits` digits, every value alike."""
    return str(secrets.randbelow(10**digits)).zfill(digits)


def seal_successor(presented: str, successor: str) -> bytes:
    """Seal `successor` so that only who presents `presented` again can have it: the server itself cannot read it afterwards."""
    return seal_box(presented.encode(), "successor", (), successor.encode())


def open_successor(presented: str, cell: bytes) -> str:
    """Give the successor that was sealed under the token presented now.

    Raises: SealBroken when another token is presented.
    """
    return open_box(presented.encode(), "successor", (), cell).decode()

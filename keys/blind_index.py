"""Blind indexes: find a row by a personal value without storing the value.

The NIK space is enumerable (2^35 to 2^42), so the secrecy of the key is the whole defence: one per kind, wrapped in the keys store.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

IndexKind = Literal["nik", "email", "phone", "network", "device", "identifier"]
KINDS: Final[tuple[IndexKind, ...]] = ("nik", "email", "phone", "network", "device", "identifier")


class BlindIndex:
    """HMAC-SHA256 of normalised values, a key per kind."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    def index(self, kind: str, normalised: str) -> bytes:
        """Give the 32 bytes under which `normalised` is found; the caller normalises, the same way always.

        Raises: KeyError for a kind that has no key.
        """
        return hmac.digest(self._keys[kind], normalised.encode(), "sha256")

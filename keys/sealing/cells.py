"""What a cell looks like and what it is bound to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.boxes import NONCE, TAG, derive
from keys.encoding import length_prefixed
from keys.errors import SealBroken

HEADER: Final = b"\x01\x01"
PREFIX: Final = len(HEADER) + 4
START: Final = PREFIX + NONCE
_LABEL: Final = "gerbang-field/v1"


@dataclass(frozen=True, slots=True)
class Binding:
    """The one place where a cell opens: a column of a row, about a person (`row` is the row's key as text)."""

    table: str
    column: str
    row: str
    person: str


@dataclass(frozen=True, slots=True)
class DataKey:
    """A person's data key of one generation. Field keys derived from it live and die with this object."""

    person: str
    generation: int
    secret: bytes = field(repr=False)
    _ciphers: dict[tuple[str, str], AESGCM] = field(default_factory=dict, init=False, repr=False, compare=False)

    def cipher(self, binding: Binding) -> AESGCM:
        """Give the cipher of the binding's table and column: AES-256-GCM under HKDF(data key, table, column)."""
        place = (binding.table, binding.column)
        cipher = self._ciphers.get(place)
        if cipher is None:
            cipher = self._ciphers[place] = AESGCM(derive(self.secret, _LABEL, *place))
        return cipher


def generation_of(cell: bytes) -> int:
    """Tell which generation of the person's data key opens this cell.

    Raises: SealBroken when it is no cell.
    """
    if len(cell) < START + TAG or cell[: len(HEADER)] != HEADER:
        raise SealBroken
    return int.from_bytes(cell[len(HEADER) : PREFIX], "big")


def associated(binding: Binding, generation: int) -> bytes:
    """Give the associated data of a cell."""
    return length_prefixed(_LABEL, binding.table, binding.column, binding.row, binding.person, generation.to_bytes(4, "big"))

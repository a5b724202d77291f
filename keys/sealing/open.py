"""Opening a sealed cell. Only `consent.disclosure` imports this: an import contract holds it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag

from keys.errors import SealBroken
from keys.sealing.cells import PREFIX, START, associated, generation_of

if TYPE_CHECKING:
    from keys.sealing.cells import Binding, DataKey


def open_cell(key: DataKey, binding: Binding, cell: bytes) -> bytes:
    """Open `cell` at the place `binding` names, with the one key its generation names; no other is tried.

    Raises: SealBroken for a changed or moved cell, another person's key or another generation.
    """
    if key.person != binding.person or generation_of(cell) != key.generation:
        raise SealBroken
    try:
        return key.cipher(binding).decrypt(cell[PREFIX:START], cell[START:], associated(binding, key.generation))
    except InvalidTag:
        raise SealBroken from None

"""Sealing a personal value. Anyone who stores one calls this; nobody but the door calls the reverse."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keys.boxes import NONCE
from keys.errors import SealBroken
from keys.sealing.cells import HEADER, associated

if TYPE_CHECKING:
    from keys.sealing.cells import Binding, DataKey


def seal_cell(key: DataKey, binding: Binding, plaintext: bytes) -> bytes:
    """Seal `plaintext` for the one place `binding` names.

    Raises: SealBroken when the key is another person's.
    """
    if key.person != binding.person:
        raise SealBroken
    nonce = os.urandom(NONCE)
    sealed = key.cipher(binding).encrypt(nonce, plaintext, associated(binding, key.generation))
    return HEADER + key.generation.to_bytes(4, "big") + nonce + sealed

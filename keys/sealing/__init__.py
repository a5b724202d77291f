"""Sealed cells: personal values at rest, each bound to its table, column, row, person and key generation.

`seal` may be imported by whoever stores values; `open` only by the door (`consent.disclosure`). Neither knows which person a
caller is allowed to see: that is the door's business.

Cell = format (1) ‖ algorithm (1) ‖ generation (u32) ‖ nonce (12) ‖ AES-256-GCM ciphertext ‖ tag (16).
Associated data, length-prefixed: ("gerbang-field/v1", table, column, row, person, generation).
"""

from __future__ import annotations

from keys.sealing.cells import Binding, DataKey

__all__ = ["Binding", "DataKey"]

"""The Ed25519 key of a witness: in a file of mode 0400, made once, beside no store. Only the witness reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keys.checkpoint_keys import CheckpointKey, read_seed
from keys.encoding import encode
from keys.files import write_private

if TYPE_CHECKING:
    from pathlib import Path


def make(path: Path) -> bool:
    """Make the key; False when a file is there already. Raises: OSError."""
    return write_private(path, encode(os.urandom(32)) + "\n")


def load(path: Path) -> CheckpointKey:
    """Read the key. Raises: CheckpointKeyWrong when there is none, RootKeyLoose for a file that others can read."""
    private = Ed25519PrivateKey.from_private_bytes(read_seed(path))
    return CheckpointKey(private.public_key().public_bytes_raw(), private)

"""C2SP tlog-cosignature, cosignature/v1 by Ed25519: that a witness saw this head, that it continues all it saw before, and when. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from consent import notes
from consent.notes import NoteInvalid, Signature
from keys.checkpoint_keys import verify_signature

if TYPE_CHECKING:
    from collections.abc import Iterable

ED25519_COSIGNATURE = 4
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64


@dataclasses.dataclass(frozen=True, slots=True)
class CosignerKey:
    """The key of a witness; its line is `<name>+<key id, hex>+<base64 of 0x04 and the key>`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """tlog-cosignature: SHA-256(<name> || 0x0A || 0x04 || <public key>)[:4]."""
        return notes.key_id(self.name, ED25519_COSIGNATURE, self.public)

    def __str__(self) -> str:
        return notes.key_line(self.name, ED25519_COSIGNATURE, self.public)

    @classmethod
    def parse(cls, line: str) -> CosignerKey:
        """Read a witness' verifier key line. Raises: NoteInvalid."""
        return cls(*notes.parse_key_line(line, ED25519_COSIGNATURE, "an Ed25519 key of a witness"))


def message(text: str, time: int) -> bytes:
    """Give what is signed: "cosignature/v1", the time in seconds since the Epoch, and the whole text of the checkpoint."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def signature(key: CosignerKey, time: int, made: bytes) -> Signature:
    """Give the signature line: u64 time ‖ Ed25519 signature over `message`."""
    return Signature(key.name, key.key_id, time.to_bytes(_TIME_BYTES, "big") + made)


def verify(found: Iterable[Signature], key: CosignerKey, text: str) -> int | None:
    """Find the newest cosignature by this key on the text: when it was made, in seconds since the Epoch. None when there is none.

    signed-note: "If the key name and ID match a known key, verifiers MUST verify the signature". Raises: NoteInvalid when one is false.
    """
    newest = None
    for line in found:
        if (line.name, line.key_id) != (key.name, key.key_id):
            continue
        time = int.from_bytes(line.made[:_TIME_BYTES], "big")
        whole = len(line.made) == _TIME_BYTES + _SIGNATURE_BYTES and 0 < time < 1 << 63
        if not whole or not verify_signature(key.public, message(text, time), line.made[_TIME_BYTES:]):
            raise NoteInvalid(f"the cosignature in the name of {key.name} is not its key's")
        newest = max(newest or 0, time)
    return newest

"""C2SP signed-note and tlog-checkpoint: the signed head of the log, and the verifier key that strangers check it with."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

from consent import notes
from consent.notes import NoteInvalid, b64, unb64
from keys.checkpoint_keys import verify_signature

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Checkpoint", "NoteInvalid", "VerifierKey", "head", "number_of", "open_note", "origin_of", "parse")

ED25519 = 1
_ROOT_BYTES = 32
_HEAD_LINES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class VerifierKey:
    """signed-note: `<name>+<key id, hex>+<base64 of type and key>`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """signed-note: SHA-256(<name> || 0x0A || 0x01 || <public key>)[:4]."""
        return notes.key_id(self.name, ED25519, self.public)

    @property
    def fingerprint(self) -> str:
        """What is handed over on paper: the SHA-256 of the whole line, in groups of four hexadecimal digits."""
        digest = hashlib.sha256(str(self).encode()).hexdigest()
        return " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))

    def __str__(self) -> str:
        return notes.key_line(self.name, ED25519, self.public)

    @classmethod
    def parse(cls, line: str) -> VerifierKey:
        """Read a verifier key line. Raises: NoteInvalid."""
        return cls(*notes.parse_key_line(line, ED25519, "an Ed25519 key"))


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the log: how many entries, and their Merkle root."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> bytes:
        """tlog-checkpoint: origin, size, and root, a line each; no extension lines."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n".encode()

    def note(self, key: VerifierKey, signature: bytes) -> str:
        """Write the signed note. `signature` is Ed25519 over `body`."""
        return f"{self.body.decode()}\n{notes.Signature(key.name, key.key_id, signature)}"


def origin_of(issuer: str, number: int = 1) -> str:
    """Give the log's origin: the issuer without its scheme, plus `/log`, plus `/2`, `/3` … after its successions."""
    return f"{issuer.partition('://')[2].rstrip('/')}/log" + (f"/{number}" if number > 1 else "")


def number_of(origin: str, first: str) -> int:
    """Tell which of this log's origins it is, `first` being number 1. Raises: NoteInvalid when it is another log's."""
    if origin == first:
        return 1
    number = origin.removeprefix(f"{first}/")
    if not (number.isascii() and number.isdigit()) or str(int(number)) != number or int(number) < 2:  # noqa: PLR2004 - the first has none
        raise NoteInvalid(f"the checkpoint is of the log {origin!r}, not of {first!r}")
    return int(number)


def parse(note: str) -> Checkpoint:
    """Read a checkpoint without checking who signed it. Raises: NoteInvalid."""
    text, _, signatures = note.rpartition("\n\n")
    if not text or not signatures.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in note):  # noqa: PLR2004 - control characters
        raise NoteInvalid("a signed note is text, an empty line, and signatures")
    return head(text.split("\n"))


def head(lines: Sequence[str]) -> Checkpoint:
    """Read the three lines of a checkpoint. Raises: NoteInvalid."""
    if len(lines) != _HEAD_LINES or not lines[0]:
        raise NoteInvalid("a checkpoint is an origin, a size without leading zeros, and a root, a line each")
    size, root = notes.number(lines[1]), unb64(lines[2])
    if len(root) != _ROOT_BYTES:
        raise NoteInvalid("the root is not a SHA-256 hash")
    return Checkpoint(lines[0], size, root)


def open_note(note: str, key: VerifierKey) -> Checkpoint:
    """Read a checkpoint of the log named by the key, signed by it. Other signatures are ignored. Raises: NoteInvalid."""
    checkpoint = parse(note)
    if checkpoint.origin != key.name:
        raise NoteInvalid(f"the checkpoint is of the log {checkpoint.origin!r}, the key of {key.name!r}")
    for line in note.rpartition("\n\n")[2].splitlines():
        dash, name, blob = (*line.split(" "), "", "", "")[:3]
        if dash != notes.DASH or name != key.name:
            continue
        signature = unb64(blob)
        if signature[:4] != key.key_id:
            continue
        if not verify_signature(key.public, checkpoint.body, signature[4:]):
            raise NoteInvalid("the signature on the checkpoint is not the key's")
        return checkpoint
    raise NoteInvalid("the checkpoint bears no signature of the key")

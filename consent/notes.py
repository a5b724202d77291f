"""C2SP signed-note: text, an empty line, signature lines; and the verifier keys that name who may sign what. Pure.

Here is what all kinds of signatures share; `consent.checkpoint` knows the log's own (Ed25519), `consent.cosignature` those of witnesses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple

DASH = "\N{EM DASH}"
KEY_BYTES = 32
_KEY_LINE_PARTS = 3
_SIGNATURE_PARTS = 3
_KEY_ID_BYTES = 4
MOST_SIGNATURES = 64
"""signed-note: verifiers bound the number of signatures; at least 16 must be accepted."""


class NoteInvalid(ValueError):
    """A note, checkpoint or verifier key is malformed, of another log, or not signed by the key."""


class Signature(NamedTuple):
    """A signature line: whose, the key's id (4 bytes), and what the key made."""

    name: str
    key_id: bytes
    made: bytes

    def __str__(self) -> str:
        return f"{DASH} {self.name} {b64(self.key_id + self.made)}\n"


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """signed-note: SHA-256(<name> || 0x0A || <type> || <public key>)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:_KEY_ID_BYTES]


def key_line(name: str, kind: int, public: bytes) -> str:
    """signed-note: `<name>+<key id, hex>+<base64 of type and key>`."""
    return f"{name}+{key_id(name, kind, public).hex()}+{b64(bytes([kind]) + public)}"


def parse_key_line(line: str, kind: int, called: str) -> tuple[str, bytes]:
    """Read a verifier key line of this type: its name and public key. `called`: the type for people. Raises: NoteInvalid."""
    parts = line.strip().split("+", 2)
    if len(parts) != _KEY_LINE_PARTS or not name_is_fine(parts[0]):
        raise NoteInvalid("a verifier key is <name>+<id>+<base64>")
    name, number, material = parts[0], parts[1], unb64(parts[2])
    if material[:1] != bytes([kind]) or len(material) != 1 + KEY_BYTES:
        raise NoteInvalid(f"the verifier key is not {called} (type 0x{kind:02x})")
    if key_id(name, kind, material[1:]).hex() != number:
        raise NoteInvalid("the verifier key's id does not belong to its name and key")
    return name, material[1:]


def split(note: str) -> tuple[str, tuple[Signature, ...]]:
    """Take a note apart: its text, with the last newline, and its signatures. Raises: NoteInvalid."""
    text, _, below = note.rpartition("\n\n")
    if not text or not below.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in note):  # noqa: PLR2004 - control characters
        raise NoteInvalid("a signed note is text, an empty line, and signatures")
    return text + "\n", signatures(below)


def signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines, each ended by a newline. Raises: NoteInvalid."""
    found = lines.split("\n")
    if found.pop() or not found or len(found) > MOST_SIGNATURES:
        raise NoteInvalid(f"signatures are 1 to {MOST_SIGNATURES} lines, each ended by a newline")
    return tuple(_signature(line) for line in found)


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != _SIGNATURE_PARTS or parts[0] != DASH or not name_is_fine(parts[1]):
        raise NoteInvalid("a signature line is an em dash, a name, and base64")
    blob = unb64(parts[2])
    if len(blob) <= _KEY_ID_BYTES:
        raise NoteInvalid("a signature is a key id of four bytes, and more")
    return Signature(parts[1], blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:])


def name_is_fine(name: str) -> bool:
    """signed-note: a key name is not empty and has no spaces or plus signs."""
    return bool(name) and not any(c.isspace() or c == "+" for c in name)


def number(text: str) -> int:
    """Read a decimal below 2^63 without leading zeros, as sizes are written. Raises: NoteInvalid."""
    fine = text.isascii() and text.isdigit() and len(text) < 20 and str(int(text)) == text  # noqa: PLR2004 - 2^63 has 19 digits
    if not fine or int(text) >= 1 << 63:
        raise NoteInvalid("a size is a decimal without leading zeros")
    return int(text)


def b64(data: bytes) -> str:
    """RFC 4648 §4."""
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    """RFC 4648 §4, padded. Raises: NoteInvalid."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteInvalid("not base64") from error

"""C2SP signed-note and tlog-checkpoint: the signed head of the log, and the verifier key that strangers check it with."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib

from keys.checkpoint_keys import verify_signature

ED25519 = 1
_DASH = "\N{EM DASH}"
_ROOT_BYTES = 32
_KEY_BYTES = 32
_KEY_LINE_PARTS = 3
_HEAD_LINES = 3


class NoteInvalid(ValueError):
    """A note, checkpoint or verifier key is malformed, of another log, or not signed by the key."""


@dataclasses.dataclass(frozen=True, slots=True)
class VerifierKey:
    """signed-note: `<name>+<key id, hex>+<base64 of type and key>`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """signed-note: SHA-256(<name> || 0x0A || 0x01 || <public key>)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public).digest()[:4]

    @property
    def fingerprint(self) -> str:
        """What is handed over on paper: the SHA-256 of the whole line, in groups of four hexadecimal digits."""
        digest = hashlib.sha256(str(self).encode()).hexdigest()
        return " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(bytes([ED25519]) + self.public)}"

    @classmethod
    def parse(cls, line: str) -> VerifierKey:
        """Read a verifier key line. Raises: NoteInvalid."""
        parts = line.strip().split("+", 2)
        if len(parts) != _KEY_LINE_PARTS or not _name_is_fine(parts[0]):
            raise NoteInvalid("a verifier key is <name>+<id>+<base64>")
        material = _unb64(parts[2])
        if material[:1] != bytes([ED25519]) or len(material) != 1 + _KEY_BYTES:
            raise NoteInvalid("the verifier key is not an Ed25519 key (type 0x01)")
        key = cls(parts[0], material[1:])
        if key.key_id.hex() != parts[1]:
            raise NoteInvalid("the verifier key's id does not belong to its name and key")
        return key


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the log: how many entries, and their Merkle root."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> bytes:
        """tlog-checkpoint: origin, size, and root, a line each; no extension lines."""
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n".encode()

    def note(self, key: VerifierKey, signature: bytes) -> str:
        """Write the signed note. `signature` is Ed25519 over `body`."""
        return f"{self.body.decode()}\n{_DASH} {key.name} {_b64(key.key_id + signature)}\n"


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
    lines = text.split("\n")
    if len(lines) != _HEAD_LINES or not lines[0] or not (lines[1].isascii() and lines[1].isdigit()) or str(int(lines[1])) != lines[1]:
        raise NoteInvalid("a checkpoint is an origin, a size without leading zeros, and a root, a line each")
    root = _unb64(lines[2])
    if len(root) != _ROOT_BYTES:
        raise NoteInvalid("the root is not a SHA-256 hash")
    return Checkpoint(lines[0], int(lines[1]), root)


def open_note(note: str, key: VerifierKey) -> Checkpoint:
    """Read a checkpoint of the log named by the key, signed by it. Other signatures are ignored. Raises: NoteInvalid."""
    checkpoint = parse(note)
    if checkpoint.origin != key.name:
        raise NoteInvalid(f"the checkpoint is of the log {checkpoint.origin!r}, the key of {key.name!r}")
    for line in note.rpartition("\n\n")[2].splitlines():
        dash, name, blob = (*line.split(" "), "", "", "")[:3]
        if dash != _DASH or name != key.name:
            continue
        signature = _unb64(blob)
        if signature[:4] != key.key_id:
            continue
        if not verify_signature(key.public, checkpoint.body, signature[4:]):
            raise NoteInvalid("the signature on the checkpoint is not the key's")
        return checkpoint
    raise NoteInvalid("the checkpoint bears no signature of the key")


def _name_is_fine(name: str) -> bool:
    """signed-note: a key name is not empty and has no spaces or plus signs."""
    return bool(name) and not any(c.isspace() or c == "+" for c in name)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteInvalid("not base64") from error

"""The succession of a log: a new origin and key go on where the old ones ended, and the first entry under them says so. Pure.

log.md: "After real loss, or a new key: a new origin whose first entry names the old final checkpoint; a planned change is signed by the old
key." That entry is a `key` entry whose `reason` is a signed note (C2SP signed-note) of this text, a line each:

    gerbang-log/succession/v1
    planned | lost
    the old verifier key
    the old final checkpoint: the base64 of its whole signed note
    the kept entries: their number, which is this entry's own index, and their root
    the new verifier key
    what the operator says about it
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from typing import TYPE_CHECKING, Final, Literal

from consent import checkpoint
from consent.checkpoint import NoteInvalid, VerifierKey
from keys.checkpoint_keys import verify_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.checkpoint import Checkpoint

Kind = Literal["planned", "lost"]

HEAD: Final = "gerbang-log/succession/v1"
OUTCOME: Final = "succession"
LINES: Final = 7
DIGITS: Final = 20
_DASH: Final = "\N{EM DASH}"


@dataclasses.dataclass(frozen=True, slots=True)
class Succession:
    """What the entry at index `size` says: entries before it were kept, and `new` signs from it on.

    `final`: the old final checkpoint as a signed note. `signed`: the old key signed this very statement; a lost key could not.
    """

    kind: Kind
    old: VerifierKey
    final: str
    size: int
    root: bytes
    new: VerifierKey
    words: str
    signed: bool = False

    @property
    def ended(self) -> Checkpoint:
        """The old final checkpoint."""
        return checkpoint.parse(self.final)

    @property
    def lost(self) -> int:
        """How many entries that were signed are not in the log any more."""
        return max(0, self.ended.size - self.size)

    @property
    def text(self) -> str:
        """What is signed."""
        final, root = (base64.b64encode(data).decode() for data in (self.final.encode(), self.root))
        lines = (HEAD, self.kind, str(self.old), final, f"{self.size} {root}", str(self.new), " ".join(self.words.split()))
        return "\n".join(lines) + "\n"

    def note(self, signature: bytes | None) -> str:
        """Write the signed note; without a signature when the old key is lost."""
        line = "" if signature is None else f"{_DASH} {self.old.name} {base64.b64encode(self.old.key_id + signature).decode()}\n"
        return f"{self.text}\n{line}"

    def __str__(self) -> str:
        if self.kind == "planned":
            return f"since entry {self.size} the log goes on as {self.new.name}, by a planned change of its key: {self.words}"
        return (
            f"since entry {self.size} the log goes on as {self.new.name}, after a LOSS of {self.lost} entries "
            f"({self.size} to {self.ended.size - 1} of {self.old.name}): {self.words}"
        )


def parse(note: str) -> Succession:
    """Read a statement, whoever signed it; a signature that is not the old key's counts as none. Raises: NoteInvalid."""
    text, _, signatures = note.partition("\n\n")
    lines = text.split("\n")
    size, _, root = lines[4].partition(" ") if len(lines) == LINES else ("", "", "")
    if len(lines) != LINES or lines[0] != HEAD or not (size.isascii() and size.isdigit() and len(size) < DIGITS):
        raise NoteInvalid("not a statement of succession")
    kind: Kind = "planned" if lines[1] == "planned" else "lost"
    try:
        final, kept = base64.b64decode(lines[3], validate=True).decode(), base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteInvalid("not a statement of succession") from error
    found = Succession(kind, VerifierKey.parse(lines[2]), final, int(size), kept, VerifierKey.parse(lines[5]), lines[6])
    if found.text != text + "\n":
        raise NoteInvalid("the statement of succession is not as we write it")
    checkpoint.open_note(final, found.old)
    return dataclasses.replace(found, signed=_signed(found, signatures))


def of_record(record: Mapping[str, object]) -> str | None:
    """Give the statement that a record carries; None when it is none of a succession."""
    reason = record.get("reason")
    carries = record.get("action") == "key" and record.get("outcome") == OUTCOME
    return reason if carries and isinstance(reason, str) else None


def _signed(found: Succession, signatures: str) -> bool:
    for line in signatures.splitlines():
        dash, name, blob = (*line.split(" "), "", "", "")[:3]
        try:
            signature = base64.b64decode(blob, validate=True)
        except (binascii.Error, ValueError):
            continue
        if (dash, name, signature[:4]) == (_DASH, found.old.name, found.old.key_id):
            return verify_signature(found.old.public, found.text.encode(), signature[4:])
    return False

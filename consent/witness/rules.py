"""C2SP tlog-witness, add-checkpoint: reading a request, and deciding on it. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from consent import checkpoint, merkle, notes
from consent.notes import NoteInvalid
from keys.checkpoint_keys import verify_signature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consent.checkpoint import Checkpoint, VerifierKey
    from consent.notes import Signature

MOST_PROOF_LINES = 63
HASH_BYTES = 32
HEAD_LINES = 3
SIZE_TYPE = "text/x.tlog.size"


class Seen(NamedTuple):
    """The largest head that was cosigned, and when, in seconds since the Epoch."""

    size: int = 0
    root: bytes = merkle.EMPTY_ROOT
    time: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Submitted:
    """A request. `text` is what the checkpoint's signatures are made over, extension lines included."""

    old: int
    proof: tuple[bytes, ...]
    head: Checkpoint
    text: str
    signatures: tuple[Signature, ...]

    @property
    def note(self) -> str:
        """The checkpoint as it was sent; the last line is ended."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no cosignature: status, what the body says, and whether the log itself is shown to have signed two heads."""

    status: int
    what: str
    split_view: bool = False


def parse(body: bytes) -> Submitted:
    """Read "old <size>", proof lines, an empty line, and a checkpoint. Raises: NoteInvalid."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise NoteInvalid("not UTF-8") from error
    above, empty, note = text.partition("\n\n")
    first, *lines = above.split("\n")
    if not empty or not first.startswith("old ") or len(lines) > MOST_PROOF_LINES:
        raise NoteInvalid(f"a request is `old <size>`, at most {MOST_PROOF_LINES} lines of proof, an empty line, and a checkpoint")
    proof = tuple(notes.unb64(line) for line in lines)
    if any(len(node) != HASH_BYTES for node in proof):
        raise NoteInvalid("a proof line is a SHA-256 hash in base64")
    signed, signatures = notes.split(note)
    head, extensions = _head(signed)
    if not all(extensions):
        raise NoteInvalid("an extension line is not empty")
    return Submitted(notes.number(first.removeprefix("old ")), proof, head, signed, signatures)


def _head(text: str) -> tuple[Checkpoint, list[str]]:
    lines = text.removesuffix("\n").split("\n")
    return checkpoint.head(lines[:HEAD_LINES]), lines[HEAD_LINES:]


def authentic(submitted: Submitted, logs: Mapping[str, Sequence[VerifierKey]]) -> Refusal | None:
    """Check who signed. "If the checkpoint origin is unknown … 404"; "403 … if either no signature from a trusted key … or … fails"."""
    keys = logs.get(submitted.head.origin)
    if not keys:
        return Refusal(404, f"this witness does not know the log {submitted.head.origin}")
    known = {(key.name, key.key_id): key for key in keys}
    trusted = [(known[line.name, line.key_id], line) for line in submitted.signatures if (line.name, line.key_id) in known]
    if not trusted:
        return Refusal(403, "the checkpoint bears no signature of a key that is trusted for its origin")
    if not all(verify_signature(key.public, submitted.text.encode(), line.made) for key, line in trusted):
        return Refusal(403, "a signature in the name of a trusted key is not that key's")
    return None


def consistent(submitted: Submitted, seen: Seen) -> Refusal | None:
    """Check that an authentic checkpoint continues the largest that was cosigned; None when it may be cosigned."""
    old, head = submitted.old, submitted.head
    if old > head.size:
        return Refusal(400, "the old size is larger than the checkpoint's")
    split = 0 < head.size == seen.size and head.root != seen.root
    if old != seen.size:
        return Refusal(409, str(seen.size), split)
    if head.size == 0 and head.root != merkle.EMPTY_ROOT:
        return Refusal(422, "an empty log has the root of an empty tree")
    try:
        merkle.verify_consistency(old, head.size, seen.root, head.root, submitted.proof)
    except merkle.ProofInvalid as error:
        return Refusal(422, "two checkpoints of one size have different roots" if split else f"the log does not continue: {error}", split)
    return None

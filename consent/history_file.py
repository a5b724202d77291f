"""A citizen's own entries with their proofs as one file, and its check without the provider (log.md, "Who can check what"). Pure.

A JSON object {"format": "gerbang-history/v1", "vkey", "checkpoint", "entries"}. Each entry is {"index", "leaf", "nonce_a", "nonce_s",
"record", "subject", "proof"}: binary members in base64, `record` and `subject` the objects that were hashed (in any layout), `proof` the
inclusion path (RFC 6962 §2.1.1) from the leaf upwards in the checkpoint's tree. One entry alone is a receipt; several are a history.

An entry that had been withheld (visibility "delayed") has neither `nonce_s` nor `subject`: these name its number and the entry before it,
which may be one whose day has not come. Its record and its place in the log are proved all the same.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

from consent import checkpoint, merkle
from consent.access_log import leaf as leaves
from consent.access_log.opening import DELAYED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consent.checkpoint import Checkpoint, VerifierKey

FORMAT: Final = "gerbang-history/v1"


@dataclasses.dataclass(frozen=True, slots=True)
class ProvedEntry:
    """One entry, opened, with the path that leads from it to the root of the checkpoint.

    Read from a file, an entry that had been withheld has an empty nonce and subject.
    """

    index: int
    leaf: bytes
    nonce_a: bytes
    nonce_s: bytes
    record: Mapping[str, Any]
    subject: Mapping[str, Any]
    proof: Sequence[bytes]

    @property
    def withheld(self) -> bool:
        """Whether it had been kept from the citizen until its day."""
        return self.record.get("visibility") == DELAYED


class HistoryBroken(ValueError):
    """The file is not a history file: nothing was checked."""


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryVerdict:
    """What the check found. `first`: the number of the first entry in the person's chain, 0 when the file has it from its beginning.

    `problem` says what is wrong, and with which entry of the log (`index`, None when it concerns the whole file).
    """

    entries: int
    first: int
    size: int
    root: bytes
    origin: str
    problem: str | None = None
    index: int | None = None

    @property
    def holds(self) -> bool:
        """Whether everything that was checked is as it must be."""
        return self.problem is None


def write(entries: Iterable[ProvedEntry], note: str, key: VerifierKey) -> bytes:
    """Write the file. `note`: the signed checkpoint that the proofs lead to; entries in the order of the log."""
    members = [
        {
            "index": entry.index,
            "leaf": _b64(entry.leaf),
            "nonce_a": _b64(entry.nonce_a),
            "record": entry.record,
            "proof": [_b64(step) for step in entry.proof],
            **({} if entry.withheld else {"nonce_s": _b64(entry.nonce_s), "subject": entry.subject}),
        }
        for entry in entries
    ]
    value = {"format": FORMAT, "vkey": str(key), "checkpoint": note, "entries": members}
    return json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"


def read(data: bytes) -> tuple[str, list[ProvedEntry]]:
    """Give the signed checkpoint and the entries, unchecked. Raises: HistoryBroken."""
    try:
        value = json.loads(data)
        if value["format"] != FORMAT:
            raise HistoryBroken(f"not a file of the format {FORMAT}")
        return str(value["checkpoint"]), [_entry(member) for member in value["entries"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise HistoryBroken(str(error) if isinstance(error, HistoryBroken) else f"not a file of the format {FORMAT}") from error


def verify(data: bytes, key: VerifierKey) -> HistoryVerdict:
    """Check a file against the verifier key that the reader holds: signature, openings, places in the tree, and the chain without a gap.

    Raises: HistoryBroken.
    """
    note, entries = read(data)
    try:
        head = checkpoint.parse(note)
    except checkpoint.NoteInvalid as error:
        raise HistoryBroken(f"checkpoint: {error}") from error
    first = next((_number(entry.subject) for entry in entries if not entry.withheld), 0)
    verdict = HistoryVerdict(len(entries), first, head.size, head.root, head.origin)
    try:
        checkpoint.open_note(note, key)
    except checkpoint.NoteInvalid as error:
        return dataclasses.replace(verdict, problem=f"checkpoint: {error}")
    wrong = _first_wrong(entries, head)
    return verdict if wrong is None else dataclasses.replace(verdict, index=wrong[0], problem=wrong[1])


def _first_wrong(entries: Sequence[ProvedEntry], head: Checkpoint) -> tuple[int, str] | None:
    before, last = -1, None
    for entry in entries:
        problem = f"it stands after entry {before}" if entry.index <= before else _opening_problem(entry) or _place_problem(entry, head)
        problem = problem or (None if entry.withheld else _chain_problem(entry, last))
        if problem:
            return entry.index, problem
        before, last = entry.index, last if entry.withheld else entry
    return None


def _opening_problem(entry: ProvedEntry) -> str | None:
    try:
        sc, ac = leaves.split_leaf(entry.leaf)
    except ValueError as error:
        return str(error)
    if leaves.access_commitment(entry.nonce_a, leaves.canonical(entry.record)) != ac:
        return "the record is not the one that was recorded (AC does not open)"
    if not entry.withheld and leaves.subject_commitment(entry.nonce_s, ac, leaves.canonical(entry.subject)) != sc:
        return "the subject is not the one that was recorded (SC does not open)"
    return None


def _place_problem(entry: ProvedEntry, head: Checkpoint) -> str | None:
    try:
        merkle.verify_inclusion(entry.index, head.size, merkle.leaf_hash(entry.leaf), entry.proof, head.root)
    except merkle.ProofInvalid as error:
        return f"it is not in the log of the checkpoint ({error})"
    return None


def _chain_problem(entry: ProvedEntry, last: ProvedEntry | None) -> str | None:
    """log.md: a person's chain counts `n` without a gap and names the SC before. What had been withheld stands in another chain."""
    n, prev = _number(entry.subject), entry.subject.get("prev")
    if last is None:
        return "it does not begin a chain" if n == 0 and prev != _b64(leaves.FIRST_PREV) else None
    if entry.subject.get("person") != last.subject.get("person"):
        return "it is about somebody else than the entries before it"
    expected = _number(last.subject) + 1
    if n != expected:
        return f"entries of this person are missing before it (it is number {n}, {expected} was next)"
    return None if prev == _b64(last.leaf[1:33]) else "it does not follow the entry of this person before it"


def _entry(member: Mapping[str, Any]) -> ProvedEntry:
    index, record, proof = member["index"], member["record"], [_unb64(step) for step in member["proof"]]
    if type(index) is not int or not isinstance(record, dict):
        raise HistoryBroken("index is a number, record an object")
    leaf, nonce_a = _unb64(member["leaf"]), _unb64(member["nonce_a"])
    if record.get("visibility") == DELAYED:
        return ProvedEntry(index, leaf, nonce_a, b"", record, {}, proof)
    subject = member["subject"]
    if not isinstance(subject, dict) or type(_number(subject)) is not int:
        raise HistoryBroken("subject is an object, and n a number")
    return ProvedEntry(index, leaf, nonce_a, _unb64(member["nonce_s"]), record, subject, proof)


def _number(subject: Mapping[str, Any]) -> int:
    return subject["n"]  # type: ignore[no-any-return]  # checked when it was read


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise HistoryBroken("not base64") from error

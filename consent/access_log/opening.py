"""Opening an entry: do its record and subject still belong to its leaf? Pure, given the person's log key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from consent.access_log import leaf as leaves
from consent.access_log.records import HistoryEntry
from keys.log_subjects import SubjectUnreadable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from keys.log_subjects import LogKey


DELAYED: Final = "delayed"
"""The `visibility` of an entry that is shown later."""


class Row(NamedTuple):
    """An entry as it is stored."""

    idx: int
    time: dt.datetime
    action: str
    client: str | None
    leaf: bytes
    record: bytes
    nonce_a: bytes
    nonce_s: bytes | None
    subject_ref: bytes | None
    subject_sealed: bytes | None
    closes: bytes | None = None


def object_of(data: bytes) -> Mapping[str, Any]:
    """Read a JSON object; what is not one reads as empty, since its commitment will not hold either."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def access_problem(row: Row) -> str | None:
    """Say why the record does not belong to the leaf, None when it does."""
    try:
        _, ac = leaves.split_leaf(row.leaf)
    except ValueError as error:
        return str(error)
    if leaves.access_commitment(row.nonce_a, row.record) != ac:
        return "the record is not the one that was recorded (AC does not open)"
    record = object_of(row.record)
    if (record.get("action"), record.get("client"), record.get("time")) != (row.action, row.client, leaves.timestamp(row.time)):
        return "the columns beside the record say something else than the record"
    return None


def is_none(row: Row) -> bool:
    """Tell whether the entry opens as one about nobody."""
    return row.nonce_s is not None and leaves.none_commitment(row.nonce_s, row.leaf[33:]) == row.leaf[1:33]


def subject_opening(row: Row, key: LogKey) -> tuple[bytes, Mapping[str, Any]] | None:
    """Give nonceS and the subject when SC opens under this person's log key, else None."""
    if row.subject_sealed is None:
        return None
    try:
        opened = key.open(row.idx, row.subject_sealed)
    except SubjectUnreadable:
        return None
    nonce_s, subject = opened[: leaves.NONCE_BYTES], opened[leaves.NONCE_BYTES :]
    if leaves.subject_commitment(nonce_s, row.leaf[33:], subject) != row.leaf[1:33]:
        return None
    return nonce_s, object_of(subject)


def subject_of(row: Row, key: LogKey) -> Mapping[str, Any] | None:
    """Give the subject when SC opens under this person's log key, else None."""
    opening = subject_opening(row, key)
    return opening[1] if opening else None


def due_at(record: Mapping[str, Any]) -> dt.datetime | None:
    """Tell when a record may be shown to whom it is about; None: at once, also when it does not say why it should be shown later."""
    delay = record.get("delay")
    if record.get("visibility") != DELAYED or not isinstance(delay, dict):
        return None
    try:
        return leaves.parse_timestamp(delay["until"])
    except (KeyError, TypeError, ValueError):
        return None


def is_due(row: Row, now: dt.datetime) -> bool:
    """Tell whether an entry may be shown: the record as it was recorded decides. One that was changed is shown, for all to see."""
    until = due_at(object_of(row.record))
    return until is None or until <= now or access_problem(row) is not None


def opened(row: Row, key: LogKey) -> HistoryEntry:
    """Open one entry of a person, telling what is wrong with it if anything is."""
    subject = subject_of(row, key)
    problem = access_problem(row) or (None if subject is not None else "the subject is not the one that was recorded (SC does not open)")
    found = subject or {}
    entry_id, n = str(found.get("entry_id", "")), found.get("n", -1)
    return HistoryEntry(row.idx, entry_id, n, row.time, object_of(row.record), found, problem)

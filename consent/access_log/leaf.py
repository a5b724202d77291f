r"""The content of entries: canonical JSON, the commitments AC and SC, and the public leaf of 65 bytes. Pure.

leaf = 0x01 ‖ SC ‖ AC, with
AC = SHA-256("gerbang-log/access/v1\0" ‖ nonceA ‖ record),
SC = SHA-256("gerbang-log/subject/v1\0" ‖ nonceS ‖ AC ‖ subject), or SHA-256("gerbang-log/none/v1\0" ‖ nonceS ‖ AC) without a person.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.access_log.records import Actor, Delay, Entry, Record, Subject

VERSION: Final = b"\x01"
LEAF_BYTES: Final = 65
NONCE_BYTES: Final = 32
FIRST_PREV: Final = bytes(32)
_ACCESS: Final = b"gerbang-log/access/v1\x00"
_SUBJECT: Final = b"gerbang-log/subject/v1\x00"
_NONE: Final = b"gerbang-log/none/v1\x00"
_TIME: Final = '"time":"'
_PLACE: Final = "0000-00-00T00:00:00.000000Z"
_string: Final = json.encoder.encode_basestring
_encode: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Mapping[str, Any]) -> bytes:
    """Write RFC 8785 canonical JSON of strings, integers, lists and objects with ASCII keys.

    For these values (no floats, no keys beyond ASCII) the standard library's writer gives the same bytes as the rfc8785 package at a fifth
    of its cost; a property test holds them together. Raises: UnicodeEncodeError for lone surrogates.
    """
    return _encode(value).encode()


def timestamp(time: dt.datetime) -> str:
    """Write a time as entries do: UTC, microseconds, Z."""
    return time.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_timestamp(text: str) -> dt.datetime:
    """Read what `timestamp` wrote. Raises: ValueError."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)


def _actor(actor: Actor) -> dict[str, Any]:
    return {name: value for name, value in actor._asdict().items() if value is not None}


def _delay(delay: Delay) -> dict[str, Any]:
    found = delay._asdict() | {"until": timestamp(delay.until)}
    return {name: value for name, value in found.items() if value is not None}


def record_object(record: Record, time: str) -> dict[str, Any]:
    """Give the JSON object of a record; what is absent is left out."""
    found: dict[str, Any] = {
        "time": time,
        "occurred": timestamp(record.occurred) if record.occurred else None,
        "action": record.action,
        "client": record.client,
        "client_name": record.client_name,
        "agency": record.agency,
        "actor": _actor(record.actor) if record.actor else None,
        "purpose": {"declaration": record.purpose[0], "version": record.purpose[1]} if record.purpose else None,
        "legal_basis": record.legal_basis,
        "legal_ref": record.legal_ref,
        "claims": sorted(record.claims) or None,
        "channel": record.channel,
        "acr": record.acr,
        "outcome": record.outcome,
        "batch": record.batch,
        "reported_by": record.reported_by,
        "reason": record.reason,
        "count": record.count,
        "visibility": record.visibility,
        "session": record.session,
        "delay": _delay(record.delay) if record.delay else None,
    }
    return {name: value for name, value in found.items() if value is not None}


@lru_cache(maxsize=1024)
def record_parts(record: Record) -> tuple[bytes, bytes]:
    """Give the canonical record before and after its time, so that little is left to do under the log's lock.

    Inside a JSON string a quotation mark is escaped, so the first `"time":"` is the member itself. Most reads of a service have the same
    record but for the time; it names no person, so it may be remembered.
    """
    before, _, after = canonical(record_object(record, _PLACE)).decode().partition(_TIME + _PLACE)
    return (before + _TIME).encode(), after.encode()


def subject_parts(subject: Subject, entry_id: str) -> tuple[bytes, bytes]:
    """Give the canonical subject before `n`'s value, and between it and `prev`'s value (order, person and prev come last)."""
    actor = '"actor":' + canonical(_actor(subject.actor)).decode() + "," if subject.actor else ""
    auth_time = f'"auth_time":"{timestamp(subject.auth_time)}",' if subject.auth_time else ""
    authorization = f'"authorization":{_string(subject.authorization)},' if subject.authorization is not None else ""
    grant = f'"grant":{_string(subject.grant)},' if subject.grant is not None else ""
    before = f'{{{actor}{auth_time}{authorization}"entry_id":{_string(entry_id)},{grant}"n":'
    order = f',"order":{_string(subject.order)}' if subject.order is not None else ""
    return before.encode(), f'{order},"person":{_string(subject.person)},"prev":"'.encode()


def subject_bytes(parts: tuple[bytes, bytes], n: int, prev: bytes) -> bytes:
    """Complete a canonical subject. `prev` is the person's SC before, 32 zero bytes first."""
    return b'%s%d%s%s"}' % (parts[0], n, parts[1], base64.b64encode(prev))


def access_commitment(nonce_a: bytes, record: bytes) -> bytes:
    """AC: commits to the record."""
    return hashlib.sha256(_ACCESS + nonce_a + record).digest()


def subject_commitment(nonce_s: bytes, ac: bytes, subject: bytes) -> bytes:
    """SC: commits to who the entry is about."""
    return hashlib.sha256(_SUBJECT + nonce_s + ac + subject).digest()


def none_commitment(nonce_s: bytes, ac: bytes) -> bytes:
    """SC of an entry about nobody."""
    return hashlib.sha256(_NONE + nonce_s + ac).digest()


def leaf(sc: bytes, ac: bytes) -> bytes:
    """The public entry."""
    return VERSION + sc + ac


def split_leaf(entry: bytes) -> tuple[bytes, bytes]:
    """Give (SC, AC) of a leaf. Raises: ValueError."""
    if len(entry) != LEAF_BYTES or entry[:1] != VERSION:
        raise ValueError("a leaf is 0x01 and two hashes, 65 bytes")
    return entry[1:33], entry[33:]


def prepared(entry: Entry) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes] | None]:
    """Do all of the writing that needs no lock: the parts of record and subject. Raises: ValueError for text that is not Unicode."""
    return record_parts(entry.record), subject_parts(entry.subject, entry.entry_id) if entry.subject else None

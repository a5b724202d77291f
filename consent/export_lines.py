"""records.jsonl and records.csv of an export: one line per entry, with what opens its AC. Pure.

A JSON line is {"index", "leaf", "nonce_a", "nonce_s"?, "record"}, in this order, binary members in base64; `nonce_s` stands in entries
about nobody. `record` is the canonical JSON that was hashed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from consent.access_log.leaf import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = (
    "index",
    "time",
    "action",
    "client",
    "client_name",
    "agency",
    "purpose",
    "legal_basis",
    "legal_ref",
    "claims",
    "channel",
    "acr",
    "outcome",
    "reason",
    "actor",
    "occurred",
    "batch",
    "reported_by",
    "count",
    "visibility",
    "nonce_a",
    "leaf",
)
_RECORD = b'"record":'
_FORMULA = frozenset("=+-@\t\r")
_SPECIAL = re.compile('[",\r\n]').search
_OF_RECORD = COLUMNS[1:-2]


class LineBroken(ValueError):
    """A line is not one of an export."""


class Line(NamedTuple):
    """One opened entry. `written` are the bytes of the record as they stand in the line, `record` is what they say."""

    idx: int
    leaf: bytes
    nonce_a: bytes
    nonce_s: bytes | None
    written: bytes
    record: Mapping[str, Any]


def json_line(index: int, leaf: bytes, nonce_a: bytes, nonce_s: bytes | None, record: bytes) -> bytes:
    """Write a line, the newline included."""
    none = b"" if nonce_s is None else b',"nonce_s":"%s"' % base64.b64encode(nonce_s)
    return b'{"index":%d,"leaf":"%s","nonce_a":"%s"%s,"record":%s}\n' % (
        index,
        base64.b64encode(leaf),
        base64.b64encode(nonce_a),
        none,
        record,
    )


def parse_line(line: bytes) -> Line:
    """Read a line, however it is laid out. Raises: LineBroken."""
    try:
        found = json.loads(line)
        record = found["record"]
        nonce_s = found.get("nonce_s")
        at = line.find(_RECORD)
        written = line[at + len(_RECORD) : -2] if at > 0 and line.endswith(b"}\n") else canonical(record)
        index, leaf, nonce_a = found["index"], binascii.a2b_base64(found["leaf"]), binascii.a2b_base64(found["nonce_a"])
        if type(index) is not int or not isinstance(record, dict):
            raise LineBroken("index is a number, record an object")
        return Line(index, leaf, nonce_a, None if nonce_s is None else binascii.a2b_base64(nonce_s), written, record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LineBroken("not a line of records.jsonl") from error


def csv_header() -> str:
    """Write the first line of records.csv (RFC 4180)."""
    return ",".join(COLUMNS) + "\r\n"


def csv_line(index: int, leaf: bytes, nonce_a: bytes, record: Mapping[str, Any]) -> str:
    """Write one line of records.csv. Texts that a spreadsheet would take for a formula get an apostrophe before them."""
    purpose, actor = record.get("purpose"), record.get("actor")
    cells = {
        **record,
        "purpose": f"{purpose['declaration']} {purpose['version']}" if purpose else "",
        "claims": " ".join(record.get("claims", ())),
        "actor": " ".join(str(actor[name]) for name in ("type", "role", "unit", "pseudonym") if name in actor) if actor else "",
    }
    middle = ",".join([_cell(str(cells[column])) if column in cells else "" for column in _OF_RECORD])
    return f"{index},{middle},{nonce_a.hex()},{leaf.hex()}\r\n"


def _cell(text: str) -> str:
    if text[:1] in _FORMULA and text:
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _SPECIAL(text) else text

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
_LAID_OUT = re.compile(
    rb'\{"index":(\d{1,18}),"leaf":"([\w+/=]{88})","nonce_a":"([\w+/=]{44})"(?:,"nonce_s":"([\w+/=]{44})")?,"record":(\{[^\n]*\})\}\n'
).fullmatch
_FORMULA = frozenset("=+-@\t\r")
_SPECIAL = re.compile('[",\r\n]').search
_BETWEEN = "\x1f"
_UNSAFE = re.compile('[",\\r\\n]|(?:^|\x1f)[=+@\\t-]').search
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
    laid = _LAID_OUT(line)
    try:
        if laid:
            index, leaf, nonce_a, nonce_s, written = int(laid[1]), laid[2], laid[3], laid[4], laid[5]
            record = json.loads(written.decode())
        else:
            found = json.loads(line)
            index, leaf, nonce_a, nonce_s, record = found["index"], found["leaf"], found["nonce_a"], found.get("nonce_s"), found["record"]
            written = canonical(record)
        if type(index) is not int or not isinstance(record, dict):
            raise LineBroken("index is a number, record an object")
        opened = None if nonce_s is None else _unb64(nonce_s)
        return Line(index, _unb64(leaf), _unb64(nonce_a), opened, written, record)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LineBroken("not a line of records.jsonl") from error


def _unb64(text: str | bytes) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def csv_header() -> str:
    """Write the first line of records.csv (RFC 4180)."""
    return ",".join(COLUMNS) + "\r\n"


def csv_line(index: int, leaf: bytes, nonce_a: bytes, record: Mapping[str, Any]) -> str:
    """Write one line of records.csv."""
    return f"{index},{csv_cells(record)},{nonce_a.hex()},{leaf.hex()}\r\n"


def csv_cells(record: Mapping[str, Any]) -> str:
    """Write the cells of a record, its time first. Texts that a spreadsheet would take for a formula get an apostrophe before them.

    Raises: LineBroken for what is no record of ours.
    """
    purpose, actor, delay = record.get("purpose"), record.get("actor"), record.get("delay")
    try:
        cells = {
            **record,
            "purpose": f"{purpose['declaration']} {purpose['version']}" if purpose else "",
            "claims": " ".join(record.get("claims", ())),
            "actor": " ".join(str(actor[name]) for name in ("type", "role", "unit", "pseudonym") if name in actor) if actor else "",
            "visibility": f"delayed until {delay['until']}: {delay['code']}, {delay['legal_ref']}"
            if delay
            else record.get("visibility", ""),
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise LineBroken("the record does not have the form of one") from error
    row = [str(cells[column]) if column in cells else "" for column in _OF_RECORD]
    return ",".join(map(_cell, row) if _UNSAFE(_BETWEEN.join(row)) else row)


def _cell(text: str) -> str:
    if text[:1] in _FORMULA and text:
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _SPECIAL(text) else text

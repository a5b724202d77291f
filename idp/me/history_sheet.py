"""A citizen's history as a sheet (RFC 4180): plain columns for people first, then what opens and proves each entry. Pure.

What had been withheld has no number and no opened subject, as in the file (`consent.history_file`).
"""

from __future__ import annotations

import base64
import csv
import io
from typing import TYPE_CHECKING, Any, Final

from consent.access_log.leaf import canonical
from idp.me.sheets import MARK, safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.history_file import ProvedEntry
    from consent.own_history import OwnHistory

_RECORD: Final = ("time", "action", "client_name", "agency", "legal_basis", "legal_ref", "channel", "outcome", "reason")
_PROOF: Final = ("index", "leaf", "nonce_a", "nonce_s", "record", "subject", "proof", "checkpoint_size", "checkpoint_root")
COLUMNS: Final = ("n", "entry_id", *_RECORD, "claims", "purpose", "actor", "grant", "withheld", *_PROOF)


def write(history: OwnHistory) -> bytes:
    """Write the sheet in UTF-8 with the mark by which office programs know it. Binary columns are base64, steps of a proof side by side."""
    text = io.StringIO()
    sheet = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    sheet.writeheader()
    head = {"checkpoint_size": str(history.checkpoint.size), "checkpoint_root": _b64(history.checkpoint.root)}
    for entry in history.entries:
        sheet.writerow({name: safe(cell) for name, cell in _said(entry).items()} | _proof(entry) | head)
    return MARK + text.getvalue().encode()


def _said(entry: ProvedEntry) -> dict[str, str]:
    record, subject = entry.record, entry.subject
    purpose: Mapping[str, Any] = record.get("purpose") or {}
    actor: Mapping[str, Any] = record.get("actor") or subject.get("actor") or {}
    return {name: str(record[name]) for name in _RECORD if name in record} | {
        "n": "" if entry.withheld else str(subject.get("n", "")),
        "entry_id": str(subject.get("entry_id", "")),
        "grant": str(subject.get("grant") or ""),
        "claims": " ".join(record.get("claims", ())),
        "purpose": " ".join(str(part) for part in purpose.values()),
        "withheld": " ".join(str(part) for part in (record.get("delay") or {}).values()),
        "actor": " ".join(str(actor[name]) for name in ("type", "role", "unit", "pseudonym") if actor.get(name)),
    }


def _proof(entry: ProvedEntry) -> dict[str, str]:
    return {
        "index": str(entry.index),
        "leaf": _b64(entry.leaf),
        "nonce_a": _b64(entry.nonce_a),
        "record": canonical(entry.record).decode(),
        **({} if entry.withheld else {"nonce_s": _b64(entry.nonce_s), "subject": canonical(entry.subject).decode()}),
        "proof": " ".join(map(_b64, entry.proof)),
    }


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()

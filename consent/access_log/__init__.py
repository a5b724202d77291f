"""The access log: an append-only tree of every read of personal data, committed before the data leaves.

Owns: entries, their leaves, chains of persons, the tree in the database, group commit, and the check that the database still holds what was
signed. Must not know: what a value is, who asked over which protocol, or how pages look.
"""

from __future__ import annotations

from consent.access_log.log import AccessLog, LogOptions
from consent.access_log.records import (
    Action,
    Actor,
    Denied,
    Entry,
    Guard,
    HistoryEntry,
    LogStatus,
    PersonCheck,
    Receipt,
    Record,
    Subject,
)

__all__ = [
    "AccessLog",
    "Action",
    "Actor",
    "Denied",
    "Entry",
    "Guard",
    "HistoryEntry",
    "LogOptions",
    "LogStatus",
    "PersonCheck",
    "Receipt",
    "Record",
    "Subject",
]

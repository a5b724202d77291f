"""ui.md: "Unusual reads (by an officer, in bulk, at night …) send a notice at once; everything else a monthly digest". Pure.

* officer: somebody at an agency, the city or an auditor's office looked, whatever the hour.
* bulk: the read is one of a batch, or its application has read of more than `CROWD` people in ten minutes without any of them signed in.
* night: between 22.00 and 05.00 in the city, and the citizen was not signed in. Who uses a service at night knows that it reads.

Changes that officers make are told by letters of their own. A service's first read is told by its receipt.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from idp.pages.formats import ZONE

if TYPE_CHECKING:
    import datetime as dt

    from consent.access_log.records import Record

Unusual = Literal["officer", "bulk", "night"]

CROWD: Final = 100
WINDOW: Final = 600
EVENING, MORNING = 22, 5
_LOOKS: Final = frozenset({"consult", "verify", "audit", "export"})
_NOBODY: Final = frozenset({None, "citizen", "service", "system"})


def unusual(record: Record, at: dt.datetime, crowd: int = 0) -> Unusual | None:
    """Say whether a read is unusual, and how. `crowd`: how much its application read of late without citizens being there."""
    actor = record.actor.type if record.actor else None
    if actor not in _NOBODY and (record.action in _LOOKS or record.reported_by is not None):
        return "officer"
    if record.action != "disclose" and record.reported_by is None:
        return None
    if record.batch is not None or crowd > CROWD:
        return "bulk"
    hour = (record.occurred or at).astimezone(ZONE).hour
    return "night" if alone(record) and (hour >= EVENING or hour < MORNING) else None


def alone(record: Record) -> bool:
    """Say whether a service read while the citizen was not there."""
    return record.reported_by is not None or (record.action == "disclose" and record.session == "none")


@dataclass(slots=True)
class Crowds:
    """How often each application read, in this process and these ten minutes, while the citizen was not there."""

    _window: int = 0
    _counts: Counter[str] = field(default_factory=Counter)

    def count(self, record: Record, at: dt.datetime) -> int:
        """Count a read; give how many its application has in this window."""
        if not alone(record) or record.client is None:
            return 0
        window = int(at.timestamp()) // WINDOW
        if window != self._window:
            self._window, self._counts = window, Counter()
        self._counts[record.client] += 1
        return self._counts[record.client]

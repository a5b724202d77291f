"""Freezes: people of whose data nothing may be read for the time being (UU 27/2022 Art. 11; law.md R14), whatever their permissions say.

Owns: who is frozen since when, and whether the log knows it yet. Must not know: how a citizen asks for it. The log rechecks freezes with
the grants, under its lock; the ledger reads them with the grants: neither needs a statement more.
"""

from consent.freezes.store import Freezes

__all__ = ["Freezes"]

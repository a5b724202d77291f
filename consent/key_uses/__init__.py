"""How often processes used people's keys, counted where it happens and added up per day, to be compared with the access log.

Owns: these counts. Must not know: whose keys, what they opened, or what the log says.
"""

from __future__ import annotations

from consent.key_uses.store import KeyUses

__all__ = ["KeyUses"]

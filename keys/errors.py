"""What can go wrong in keys/, as exceptions without personal data, secrets or detail that helps an attacker."""

from __future__ import annotations


class KeysError(Exception):
    """The root of all errors of this package."""


class StoreUnavailable(KeysError):
    """A database cannot be reached, is full, or did not answer in time: answer 503 and disclose nothing."""


class ConnectionHeld(KeysError):
    """A task tried to wait for the log, a hash or the network while it held a database connection (a programming error)."""

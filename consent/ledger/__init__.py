"""The consent ledger: an append-only list of what happened to each grant, and the grants as they stand now.

Owns: grants, events, receipts' keeping, the queue of events that still go to the access log. Must not know: how a card looks, or what a
token is.
"""

from consent.ledger.ledger import Ledger

__all__ = ["Ledger"]

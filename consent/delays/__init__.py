"""Orders of delayed visibility: what an application reads about a person is shown to that person later (UU 27/2022 Art. 15; law.md R17).

Owns: orders, and the small set of those in force that each process keeps. Must not know: who may order, pages, or who the person is: an
order names the person's second chain, which only the person's log key leads to. Two people order; one may end it.
"""

from __future__ import annotations

from consent.delays.records import CODES, Order, OrderState
from consent.delays.store import Delays

__all__ = ["CODES", "Delays", "Order", "OrderState"]

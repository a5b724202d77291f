"""How often somebody may call, counted in this process alone: no statement, no lock, a bounded piece of memory.

Against floods, not against guessing: who guesses is counted in the database, by all processes together (`idp.web.rate_limits`).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST: Final = 20_000
"""Callers that are remembered at once; the one that has called least recently is forgotten, which can only let somebody in."""


class Buckets:
    """A bucket for each caller and rate (pairs of calls and seconds). Full at first, it refills evenly: no burst at a window's edge."""

    def __init__(self, rates: Sequence[tuple[int, int]], clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._rates = tuple((window / allowed, float(window)) for allowed, window in rates)
        self._clock = clock
        self._most = most
        self._full_at: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Count a call, and give 0; or count none, and give the seconds after which the next may come."""
        now = self._clock()
        known = self._full_at.pop(caller, None)
        stand = tuple(max(full_at, now) for full_at in known) if known else (now,) * len(self._rates)
        after = tuple(full_at + each for full_at, (each, _) in zip(stand, self._rates, strict=True))
        wait = max((full_at - window - now for full_at, (_, window) in zip(after, self._rates, strict=True)), default=0.0)
        self._full_at[caller] = stand if wait > 0 else after
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return max(0.0, wait)

"""Pictures made by the server: bars as SVG with a text alternative; the page puts a table behind them, the stylesheet the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP, _BAR, _TALL, _HEAD, _FOOT = 56, 32, 120, 20, 22


def bars(values: Sequence[tuple[str, int]], description: str) -> Markup:
    """Draw one bar per (short label, count). An empty one shows as a thin line, so that "none" is seen and not guessed."""
    most = max((count for _, count in values), default=0) or 1
    drawn = Markup("").join(_bar(place, label, count, most) for place, (label, count) in enumerate(values))
    width, height = max(len(values), 1) * _STEP, _HEAD + _TALL + _FOOT
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(width, height, description, drawn)


def _bar(place: int, label: str, count: int, most: int) -> Markup:
    tall = max(round(_TALL * count / most), 2)
    left, top, middle = place * _STEP + (_STEP - _BAR) // 2, _HEAD + _TALL - tall, place * _STEP + _STEP // 2
    bar = Markup('<rect{} x="{}" y="{}" width="{}" height="{}" rx="3"/>').format(
        Markup("") if count else Markup(' class="none"'), left, top, _BAR, tall
    )
    value = Markup('<text class="value" x="{}" y="{}">{}</text>').format(middle, top - 6, count) if count else Markup("")
    return bar + value + Markup('<text x="{}" y="{}">{}</text>').format(middle, _HEAD + _TALL + 16, label)

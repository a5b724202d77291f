"""Pictures made by the server: bars as SVG with a text alternative; the page puts a table behind them, the stylesheet the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LINE, _LENGTH = 44, 262
_STEP, _BAR, _TALL, _HEAD, _FOOT = 56, 32, 120, 20, 22
_THIN, _WEEK, _ROOM = 14, 7, 4
_LOW = 2  # a single read is no full bar


class Value(NamedTuple):
    """What one bar shows: its label, its length, and the number as its reader writes it."""

    label: str
    length: int
    said: str


def bars(values: Sequence[Value], description: str) -> Markup:
    """Draw one bar per value, with a short label. An empty one shows as a thin line, so that "none" is seen and not guessed."""
    most = max(_LOW, *(one.length for one in values), 0)
    drawn = Markup("").join(_bar(place, one, most) for place, one in enumerate(values))
    width, height = max(len(values), 1) * _STEP, _HEAD + _TALL + _FOOT
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(width, height, description, drawn)


def lines(values: Sequence[Value], description: str) -> Markup:
    """Draw one lying bar per value, its name above it: names are longer than bars are wide."""
    most = max(_LOW, *(one.length for one in values), 0)
    drawn = Markup("").join(_line(place * _LINE, one, most) for place, one in enumerate(values))
    width, height = _STEP * 6, max(len(values), 1) * _LINE
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(width, height, description, drawn)


def _line(top: int, value: Value, most: int) -> Markup:
    long = max(round(_LENGTH * value.length / most), 2)
    label = Markup('<text class="name" x="0" y="{}">{}</text>').format(top + 14, value.label)
    bar = Markup('<rect x="0" y="{}" width="{}" height="14" rx="3"/>').format(top + 21, long)
    return label + bar + Markup('<text class="value name" x="{}" y="{}">{}</text>').format(long + 8, top + 33, value.said)


def _bar(place: int, shown: Value, most: int) -> Markup:
    count = shown.length
    tall = max(round(_TALL * count / most), 2)
    left, top, middle = place * _STEP + (_STEP - _BAR) // 2, _HEAD + _TALL - tall, place * _STEP + _STEP // 2
    bar = Markup('<rect{} x="{}" y="{}" width="{}" height="{}" rx="3"/>').format(
        Markup("") if count else Markup(' class="none"'), left, top, _BAR, tall
    )
    value = Markup('<text class="value" x="{}" y="{}">{}</text>').format(middle, top - 6, shown.said) if count else Markup("")
    return bar + value + Markup('<text x="{}" y="{}">{}</text>').format(middle, _HEAD + _TALL + 16, shown.label)


def timeline(values: Sequence[tuple[str, int, bool]], description: str, say: Callable[[int], str]) -> Markup:
    """Draw one thin bar per day: (label, count, unusual). A label stands under the first, and under every seventh with room for it.

    `say` writes the largest number as its reader does.
    """
    most = max(_LOW, *(count for _, count, _ in values), 0)
    drawn = Markup("").join(_thin(place, count, unusual, most) for place, (_, count, unusual) in enumerate(values))
    drawn += Markup("").join(
        Markup('<text class="name" x="{}" y="{}">{}</text>').format(place * _THIN, _HEAD + _TALL + 16, values[place][0])
        for place in range(0, max(len(values) - _ROOM, 1), _WEEK)
        if values
    )
    width, height = max(len(values), 1) * _THIN, _HEAD + _TALL + _FOOT
    top = Markup('<text class="name" x="0" y="14">{}</text>').format(say(most))
    return Markup(
        '<svg class="chart long" viewBox="0 0 {} {}" preserveAspectRatio="xMinYMid" role="img" aria-label="{}">{}{}</svg>'
    ).format(width, height, description, top, drawn)


def _thin(place: int, count: int, unusual: bool, most: int) -> Markup:  # noqa: FBT001 - one bar, value by value
    tall = max(round(_TALL * count / most), 1)
    kind = Markup(' class="odd"') if unusual else Markup("") if count else Markup(' class="none"')
    bar = Markup('<rect{} x="{}" y="{}" width="{}" height="{}"/>').format(kind, place * _THIN, _HEAD + _TALL - tall, _THIN - 3, tall)
    if unusual:  # colour alone tells nothing to whoever sees none
        bar += Markup('<text class="odd" x="{}" y="{}">!</text>').format(place * _THIN + (_THIN - 3) // 2, _HEAD + _TALL - tall - 4)
    return bar

"""Signing keys stand where their times say: one active key always, pending before, retired and removed after."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.rotation import KeyState, Lifetimes, spans, successor_start

T = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
LIFE = Lifetimes(pending=1 * DAY, active=90 * DAY, retired=30 * DAY)


@dataclass
class Key:
    """A key's times."""

    not_before: dt.datetime
    removed_at: dt.datetime | None = None


def _states(keys: list[Key], now: dt.datetime) -> list[str]:
    return [str(span.state(now)) for span in spans(keys, LIFE)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (89.9, ["active", "pending"]),
        (90, ["retired", "active"]),
        (119.9, ["retired", "active"]),
        (120, ["removed", "active"]),
        (9999, ["removed", "active"]),
    ],
)
def test_a_key_passes_through_its_four_states(day: float, expected: list[str]) -> None:
    assert _states([Key(T), Key(T + 90 * DAY)], T + day * DAY) == expected


def test_a_key_that_never_had_a_successor_stays_active() -> None:
    assert _states([Key(T)], T + 9999 * DAY) == ["active"]


def test_a_removed_key_is_removed_whatever_its_times() -> None:
    assert _states([Key(T, removed_at=T), Key(T)], T) == ["removed", "active"]


def test_a_key_overtaken_before_its_time_never_signs() -> None:
    keys = [Key(T), Key(T + 10 * DAY), Key(T + 5 * DAY)]
    assert _states(keys, T + 6 * DAY) == ["retired", "pending", "active"]
    assert _states(keys, T + 10 * DAY) == ["retired", "retired", "active"]


def test_the_first_key_starts_at_once_and_successors_are_published_before() -> None:
    assert successor_start([], T, LIFE) == T
    assert successor_start([Key(T)], T + 88.9 * DAY, LIFE) is None
    assert successor_start([Key(T)], T + 89 * DAY, LIFE) == T + 90 * DAY
    assert successor_start([Key(T)], T + 200 * DAY, LIFE) == T + 201 * DAY  # late: still published a day before
    assert successor_start([Key(T), Key(T + 90 * DAY)], T + 89.5 * DAY, LIFE) is None
    assert successor_start([Key(T, removed_at=T)], T + DAY, LIFE) == T + DAY


@given(starts=st.lists(st.integers(0, 400), min_size=1, max_size=6), now=st.integers(0, 500))
def test_from_the_first_start_on_exactly_one_key_is_active(starts: list[int], now: int) -> None:
    keys = [Key(T), *(Key(T + day * DAY) for day in starts)]
    assert _states(keys, T + now * DAY).count("active") == 1


@given(now=st.lists(st.integers(0, 300), min_size=2, max_size=2))
def test_no_key_ever_goes_back_to_an_earlier_state(now: list[int]) -> None:
    order = list(KeyState)
    keys = [Key(T + 3 * DAY), Key(T + 90 * DAY), Key(T + 180 * DAY)]
    earlier, later = (T + day * DAY for day in sorted(now))
    assert all(order.index(span.state(earlier)) <= order.index(span.state(later)) for span in spans(keys, LIFE))

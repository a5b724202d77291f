"""Public numbers tell of nobody: neither alone, nor by their order, nor by the difference between a sum and its parts."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from consent.access_log.counts import Activity, Group
from idp.complaints.records import ComplaintStatistics
from idp.transparency import rules

TODAY = dt.date(2026, 11, 24)
FIRST, LAST = rules.period(TODAY)


def activity(count: int, day: dt.date = LAST, **more: str) -> Activity:
    group = {"day": day.isoformat(), "action": "disclose", "client": "c", "agency": "dinkes", "purpose": "p", "basis": "a", "officer": ""}
    return Activity(Group(**(group | more), lasting=0), (count, *[0] * 23))


def told(*activities: Activity) -> rules.Numbers:
    return rules.numbers(activities, FIRST, LAST)


def test_a_count_is_a_multiple_of_five_or_few() -> None:
    for count in (*range(200), 10**9 + 3):
        public = rules.Public.of(count)
        assert public.few == (1 <= count <= 4)
        assert public.number % 5 == 0
        assert public.few or abs(public.number - count) <= 2


@given(st.integers(5, 10_000), st.integers(1, 4))
def test_the_difference_of_a_sum_and_its_part_tells_no_more_than_few(many: int, few: int) -> None:
    """Whoever knows the public sum and the public part finds every small rest possible that "fewer than five" allows, or none ruled out."""
    found = told(activity(many), activity(few, purpose="q"))
    parts = dict(found.purposes)
    assert parts["q"] == rules.Public(0, few=True)
    gap = found.reads.number - parts["p"].number
    assert gap in {0, 5}
    possible = {rest for rest in range(1, 5) for part in range(parts["p"].number - 2, parts["p"].number + 3)
                if rules.Public.of(part + rest).number == found.reads.number}  # fmt: skip
    assert len(possible) >= 3


def test_small_numbers_are_in_no_particular_order() -> None:
    found = told(activity(1, purpose="a"), activity(4, purpose="z"), activity(3, purpose="m"))
    assert [name for name, _ in found.purposes] == ["a", "m", "z"]


def test_each_kind_is_counted_where_it_belongs() -> None:
    found = told(
        activity(100), activity(50, action="consult"), activity(20, action="verify"), activity(30, action="denied"),
        activity(10, action="audit", agency="inspektorat"), activity(99, action="key"), activity(40, agency="", purpose="", basis=""),
    )  # fmt: skip
    assert [one.number for one in (found.reads, found.looks, found.denied, found.audits)] == [140, 70, 30, 10]
    (agency,) = found.agencies
    assert (agency.code, agency.reads.number, agency.looks.number, agency.denied.number) == ("dinkes", 100, 70, 30)
    assert found.purposes == [("p", rules.Public(100))]


def test_few_answers_give_no_median() -> None:
    day = dt.timedelta(hours=24)
    assert rules.complaints(ComplaintStatistics(3, 3, 0, 1, day)) == rules.Complaints(
        rules.Public(0, few=True), rules.Public(0, few=True), rules.Public(0), rules.Public(0, few=True), None
    )
    assert rules.complaints(ComplaintStatistics(9, 8, 0, 0, day)).median_hours == 24
    assert rules.complaints(ComplaintStatistics(9, 0, 0, 0, None)).median_hours is None


def test_only_whole_days_are_told() -> None:
    assert LAST < TODAY
    assert (TODAY - FIRST).days == rules.DAYS
    found = told(activity(7, day=FIRST), activity(8, day=LAST))
    assert len(found.days) == rules.DAYS
    assert (found.days[0], found.days[-1]) == ((FIRST, rules.Public(5)), (LAST, rules.Public(10)))

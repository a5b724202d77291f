"""Which days are unusual, what a profile counts, and what an auditor may ask."""

from __future__ import annotations

import datetime as dt

import pytest

from consent.access_log.counts import Activity, Group
from idp.audit import rules

MONDAY = dt.date(2026, 11, 23)


def series(*counts: int, last: dt.date = MONDAY) -> dict[dt.date, int]:
    """Give counts of the days that end with `last`."""
    return {last - dt.timedelta(days=len(counts) - 1 - place): count for place, count in enumerate(counts)}


def judged(*counts: int, running: bool = False) -> rules.Day:
    return rules.timeline(series(*counts), MONDAY, MONDAY, running=MONDAY if running else None)[0]


def weeks(office: int, weekend: int, number: int) -> list[int]:
    """Counts of whole weeks that end on a Sunday."""
    return ([office] * 5 + [weekend] * 2) * number


def test_a_day_is_unusual_beyond_five_robust_deviations_of_days_of_its_kind() -> None:
    usual = weeks(100, 5, 8)
    assert judged(*usual, 149) == rules.Day(MONDAY, 149, 100, odd=False)
    assert judged(*usual, 151) == rules.Day(MONDAY, 151, 100, odd=True)
    assert judged(*usual, 49).odd
    assert not judged(*usual, 51).odd


def test_a_weekend_is_not_measured_by_working_days() -> None:
    days = rules.timeline(series(*weeks(100, 5, 9), last=MONDAY - dt.timedelta(days=1)), MONDAY - dt.timedelta(days=7), MONDAY)
    assert [day.odd for day in days[:-1]] == [False] * 7
    assert days[-1].odd  # a working day without any read


def test_few_wild_days_hide_no_other() -> None:
    usual = weeks(100, 5, 8)
    usual[3] = usual[10] = usual[17] = 100_000
    assert judged(*usual, 500).odd
    assert not judged(*usual, 120).odd


def test_a_day_that_runs_is_not_told_to_be_too_quiet() -> None:
    usual = weeks(100, 5, 8)
    assert not judged(*usual, 0, running=True).odd
    assert judged(*usual, 900, running=True).odd


def test_nothing_is_unusual_before_there_is_something_to_compare_with() -> None:
    assert judged(500) == rules.Day(MONDAY, 500, None, odd=False)
    assert judged(0, 0, 1, 0, 0, 0, 500).usual is None


def test_days_before_the_log_began_are_no_quiet_days() -> None:
    assert judged(*weeks(50, 50, 2), 50) == rules.Day(MONDAY, 50, 50, odd=False)


def activity(
    day: dt.date, hours: dict[int, int], *, action: str = "disclose", client: str = "aduan", lasting: int = 0, officer: str = ""
) -> Activity:
    group = Group(day.isoformat(), action, client, "dinkes", "p", "a", officer, lasting)
    return Activity(group, tuple(hours.get(hour, 0) for hour in range(24)))


def test_a_profile_counts_night_lasting_denied_and_bulk() -> None:
    days = [MONDAY - dt.timedelta(days=back) for back in range(12)]
    found = [activity(day, {9: 4, 10: 5, 11: 4}) for day in days]
    found += [activity(MONDAY, {3: 60}, lasting=1), activity(MONDAY, {8: 2}, action="denied"), activity(MONDAY, {8: 9}, client="")]
    (profile,) = rules.profiles(found, "client", frozenset({"disclose"}), days[-1], MONDAY)
    assert (profile.reads, profile.night, profile.lasting, profile.denied) == (12 * 13 + 60, 60, 60, 2)
    assert (profile.peak, profile.peak_day, profile.bulk) == (60, MONDAY, 1)
    assert profile.odd == 1
    assert profile.purposes == {"p": 216}


def test_busy_hours_below_twenty_are_never_bulk() -> None:
    days = [MONDAY - dt.timedelta(days=back) for back in range(12)]
    found = [activity(day, {9: 1}, officer="P-1") for day in days] + [activity(MONDAY, {15: 19}, officer="P-1")]
    (profile,) = rules.profiles(found, "officer", frozenset({"disclose"}), days[-1], MONDAY)
    assert (profile.peak, profile.bulk) == (19, 0)


def test_what_was_asked_stands_in_the_record() -> None:
    asked = rules.question({"reason": " Laporan   warga 12 ", "client": "aduan", "since": "2026-11-01", "other": "x", "claim": ""})
    assert isinstance(asked, rules.Question)
    assert asked.on_record == "Laporan warga 12 [client=aduan; from=2026-11-01]"
    everything = rules.question({"reason": "Laporan warga 12"})
    assert isinstance(everything, rules.Question)
    assert everything.on_record == "Laporan warga 12 [everything]"


@pytest.mark.parametrize("case", ["", "ab", "!12", "x" * 41, "12<3>", "kasus\n\n"])
def test_a_case_number_looks_like_one(case: str) -> None:
    assert (rules.case_of(case) is None) == (case.strip() != "kasus")

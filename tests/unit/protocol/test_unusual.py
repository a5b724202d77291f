"""ui.md: which reads are unusual, and so told at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from consent.access_log.records import Actor, Record
from idp.pages.formats import ZONE
from idp.protocol.told_reads import last_month
from idp.protocol.unusual import CROWD, Crowds, unusual

NOON = dt.datetime(2026, 11, 24, 12, tzinfo=ZONE)
NIGHT = dt.datetime(2026, 11, 24, 23, tzinfo=ZONE)


def read(**said: Any) -> Record:
    return Record(**{"action": "disclose", "client": "aduan", "channel": "userinfo", "outcome": "ok", "actor": Actor("service"), **said})


@pytest.mark.parametrize("role", ["officer", "administrator", "auditor", "dpo"])
@pytest.mark.parametrize("action", ["consult", "verify", "audit", "export"])
def test_whoever_of_staff_looks_is_told_at_any_hour(role: str, action: Any) -> None:
    assert unusual(read(action=action, actor=Actor(role)), NOON) == "officer"


def test_an_officers_read_that_an_agency_reported_is_an_officers_look() -> None:
    assert unusual(read(reported_by="dinkes", actor=Actor("officer")), NOON) == "officer"
    assert unusual(read(reported_by="dinkes"), NOON) is None


def test_a_systems_read_that_an_agency_reported_is_told_by_when_it_happened_and_as_one_of_many() -> None:
    by_night = read(action="consult", reported_by="dinkes", occurred=NIGHT)
    by_day = read(action="consult", reported_by="dinkes", occurred=NOON)
    assert (unusual(by_night, NOON), unusual(by_day, NIGHT)) == ("night", None)
    assert unusual(by_day, NOON, CROWD + 1) == "bulk"
    assert Crowds().count(by_day, NOON) == 1


@pytest.mark.parametrize("action", ["update", "erase", "consent", "denied", "key"])
def test_what_is_no_look_is_not_told_here(action: Any) -> None:
    assert unusual(read(action=action, actor=Actor("officer")), NIGHT) is None
    assert unusual(read(action=action, actor=None), NIGHT) is None


@pytest.mark.parametrize(("hour", "told"), [(21, None), (22, "night"), (0, "night"), (4, "night"), (5, None), (12, None)])
def test_a_read_at_night_is_told_when_the_citizen_was_not_there(hour: int, told: str | None) -> None:
    at = NOON.replace(hour=hour, minute=59)
    assert unusual(read(session="none"), at) == told
    assert unusual(read(), at) is None  # signed in: the citizen knows


def test_a_batch_and_a_crowd_are_bulk() -> None:
    assert unusual(read(batch="b"), NOON) == "bulk"
    crowds, lasting = Crowds(), read(session="none")
    counts = [crowds.count(lasting, NOON) for _ in range(CROWD + 1)]
    assert [unusual(lasting, NOON, count) for count in counts[-2:]] == [None, "bulk"]
    assert (crowds.count(read(), NOON), crowds.count(read(session="none", client="lain"), NOON)) == (0, 1)
    assert crowds.count(lasting, NOON + dt.timedelta(minutes=10)) == 1


def test_the_months_letter_is_about_the_month_before_in_the_city() -> None:
    month, first, end = last_month(dt.datetime(2026, 12, 31, 17, tzinfo=dt.UTC))  # 1 January in Balikpapan
    assert (month, first.isoformat(), end.isoformat()) == ("2026-12", "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00")

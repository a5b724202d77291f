"""Form tokens and signed values hold for one purpose, one browser, one time."""

from __future__ import annotations

import datetime as dt

import pytest

from idp.web.forms import FORM_LIFETIME, Forms
from keys.encoding import decode
from keys.secrets import Secrets

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forms(clock: Clock) -> Forms:
    return Forms(b"k" * 32, clock, Secrets(b"s" * 32))


def test_a_form_token_holds_in_its_form_and_browser_only(forms: Forms) -> None:
    token = forms.token("login", "browser-one-000000")
    assert forms.check("login", "browser-one-000000", token)
    assert not forms.check("login", "browser-two-000000", token)
    assert not forms.check("approve", "browser-one-000000", token)
    assert not forms.check("login", None, token)
    assert not forms.check("login", "browser-one-000000", None)
    assert not forms.check("login", "browser-one-000000", token[:-2])


def test_a_form_token_does_not_contain_the_browser_id(forms: Forms) -> None:
    assert "browser-one" not in forms.token("login", "browser-one-000000")


def test_a_form_token_differs_each_time(forms: Forms) -> None:
    assert forms.token("login", "b" * 22) != forms.token("login", "b" * 22)


def test_a_form_token_ends(forms: Forms, clock: Clock) -> None:
    token = forms.token("login", "b" * 22)
    clock.now += dt.timedelta(seconds=FORM_LIFETIME + 1)
    assert not forms.check("login", "b" * 22, token)


def test_a_signed_value_comes_back_for_its_purpose_within_its_time(forms: Forms, clock: Clock) -> None:
    value = forms.sign("verifier", {"interaction": "x"})
    assert forms.unsign("verifier", value, 60) == {"interaction": "x"}
    assert forms.unsign("link", value, 60) is None
    assert forms.unsign("verifier", value + "x", 60) is None
    assert forms.unsign("verifier", None, 60) is None
    clock.now += dt.timedelta(seconds=61)
    assert forms.unsign("verifier", value, 60) is None


def test_another_secret_signs_nothing_of_ours(forms: Forms, clock: Clock) -> None:
    stranger = Forms(b"x" * 32, clock, Secrets(b"t" * 32))
    assert forms.unsign("verifier", stranger.sign("verifier", {}), 60) is None
    assert not forms.check("login", "b" * 22, stranger.token("login", "b" * 22))


def test_a_closed_payload_is_read_by_nobody_on_the_way_and_opens_for_its_purpose_and_time_only(forms: Forms, clock: Clock) -> None:
    closed = forms.close("search/me", {"officer": "Rina Wati"})
    assert b"Rina" not in decode(closed)
    assert forms.disclosed("search/me", closed, 60) == {"officer": "Rina Wati"}
    for wrong in (closed[:-2], closed + "AA", "", None, "ä", "!"):
        assert forms.disclosed("search/me", wrong, 60) is None
    assert forms.disclosed("search/another", closed, 60) is None
    clock.now += dt.timedelta(seconds=61)
    assert forms.disclosed("search/me", closed, 60) is None

"""OIDC Core §3.1.2: what comes next, for every combination."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import Any

import pytest

from consent.decision import Allowed, Ask, Refused
from idp.authorize.dispatch import Approve, Create, Issue, Login, Passkey, Progress, Refuse, SecondFactor, SignedIn, Situation, dispatch
from idp.spec.authorization_request import AuthorizationRequest
from idp.spec.errors import ErrorCode

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
GRANT: Any = object()
ALLOWED = Allowed(frozenset({"name"}), GRANT)
ASK = Ask(frozenset({"name"}), frozenset(), "consent")
SESSION = SignedIn("subject", NOW - dt.timedelta(minutes=5), "aal1")


def situation(
    *, session: SignedIn | None = SESSION, consent: Any = ALLOWED, hinted: str | None = None, progress: Progress | None = None, **asked: str
) -> Situation:
    request = AuthorizationRequest.of({"client_id": "app", "redirect_uri": "https://app.test/", **asked})
    return Situation(request, session, frozenset({hinted} if hinted else ()), consent if session else None, progress or Progress(NOW), NOW)


def test_nobody_signed_in_leads_to_login() -> None:
    assert dispatch(situation(session=None)) == Login()


def test_signed_in_and_allowed_leads_to_a_code() -> None:
    assert dispatch(situation()) == Issue(GRANT, frozenset({"name"}))


def test_a_card_that_is_due_is_shown_and_what_cannot_be_is_refused() -> None:
    assert dispatch(situation(consent=ASK)) == Approve()
    assert isinstance(dispatch(situation(consent=Refused("other_purpose"))), Refuse)


def test_a_sign_in_within_the_interaction_settles_prompt_login_and_an_older_one_does_not() -> None:
    began = NOW - dt.timedelta(minutes=1)
    old, fresh = SESSION, SignedIn("subject", NOW, "aal1")
    assert dispatch(situation(prompt="login", session=old)) == Login()
    assert dispatch(situation(prompt="login", session=old, progress=Progress(began, signed_in=True))) == Login()
    assert dispatch(situation(prompt="login", session=fresh, progress=Progress(began))) == Login()
    assert isinstance(dispatch(situation(prompt="login", session=fresh, progress=Progress(began, signed_in=True))), Issue)


@pytest.mark.parametrize(("age", "login"), [("300", False), ("299", True), ("0", True), ("86400", False)])
def test_max_age_compares_with_the_time_of_authentication(age: str, login: bool) -> None:  # noqa: FBT001
    assert isinstance(dispatch(situation(max_age=age)), Login if login else Issue)


def test_enrolment_is_shown_once_whoever_is_signed_in() -> None:
    assert dispatch(situation(prompt="create")) == Create()
    assert dispatch(situation(prompt="create", session=None)) == Create()
    assert isinstance(dispatch(situation(prompt="create", progress=Progress(NOW, signed_in=True))), Issue)


def test_any_of_several_subjects_will_do() -> None:
    wanted = '{"id_token":{"sub":{"values":["other","subject"]}}}'
    request = situation(claims=wanted).request
    assert request.wanted_subjects == ("other", "subject")
    assert isinstance(dispatch(replace(situation(), subjects=frozenset(request.wanted_subjects))), Issue)
    assert dispatch(replace(situation(), subjects=frozenset({"other", "third"}))) == Login()


def test_the_second_factor_comes_before_the_card() -> None:
    assert dispatch(situation(acr_values="aal2", consent=ASK)) == SecondFactor()
    assert dispatch(situation(acr_values="aal2", session=SignedIn("subject", NOW, "aal2"), consent=ASK)) == Approve()


def test_a_passkey_is_asked_for_where_nothing_less_would_do() -> None:
    for acr in ("aal1", "aal2"):
        session = SignedIn("subject", NOW, acr)
        assert dispatch(situation(acr_values="aal3", session=session, consent=ASK)) == Passkey()
        essential = '{"id_token":{"acr":{"essential":true,"values":["aal3"]}}}'
        assert dispatch(situation(acr_values="aal1", claims=essential, session=session)) == Passkey()
    assert dispatch(situation(acr_values="aal3 aal2")) == SecondFactor()
    assert dispatch(situation(acr_values="aal3 aal1")) == Issue(GRANT, frozenset({"name"}))
    assert dispatch(situation(acr_values="aal3", session=SignedIn("subject", NOW, "aal3"), consent=ASK)) == Approve()


def test_a_hint_of_somebody_else_leads_to_login_and_then_to_an_error() -> None:
    assert dispatch(situation(hinted="subject")) == Issue(GRANT, frozenset({"name"}))
    assert dispatch(situation(hinted="other")) == Login()
    after = dispatch(situation(hinted="other", progress=Progress(NOW, signed_in=True)))
    assert isinstance(after, Refuse)
    assert after.refusal.error is ErrorCode.LOGIN_REQUIRED


def test_an_unattended_session_asks_who_is_there() -> None:
    away = SignedIn("subject", NOW, "aal1", unattended=True)
    assert dispatch(situation(session=away)) == Login(ErrorCode.ACCOUNT_SELECTION_REQUIRED)


def test_prompt_none_never_leads_to_a_page() -> None:
    sessions = (None, SESSION, SignedIn("subject", NOW, "aal2"), SignedIn("subject", NOW, "aal1", unattended=True))
    expected = {
        ErrorCode.LOGIN_REQUIRED,
        ErrorCode.INTERACTION_REQUIRED,
        ErrorCode.CONSENT_REQUIRED,
        ErrorCode.ACCOUNT_SELECTION_REQUIRED,
        ErrorCode.ACCESS_DENIED,
    }
    for session, consent, hinted, asked in itertools.product(
        sessions,
        (ALLOWED, ASK, Refused("other_purpose")),
        (None, "subject", "other"),
        ({}, {"max_age": "0"}, {"acr_values": "aal2"}, {"acr_values": "aal3"}),
    ):
        decision = dispatch(situation(session=session, consent=consent, hinted=hinted, prompt="none", **asked))
        assert isinstance(decision, Issue | Refuse)
        assert isinstance(decision, Issue) or decision.refusal.error in expected


def test_a_code_is_given_only_with_session_and_consent() -> None:
    for prompt, consent, session in itertools.product(
        ("", "login", "consent", "select_account", "none"), (ALLOWED, ASK, None), (None, SESSION)
    ):
        decision = dispatch(situation(session=session, consent=consent, **({"prompt": prompt} if prompt else {})))
        if isinstance(decision, Issue):
            assert session is not None
            assert consent is ALLOWED

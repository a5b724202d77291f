"""law.md R2, R4, R12: when a card is due, which one, and what may be read."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from consent.decision import Allowed, Ask, Refused, decide, readable
from consent.records import ClaimNeed, Grant, GrantState, LegalBasis, Purpose

NOW = dt.datetime(2026, 11, 24, 3, tzinfo=dt.UTC)
TEXT = {"id": "Teks.", "en": "Text."}
PURPOSE = Purpose(
    id="aduan",
    version=2,
    agency="diskominfo",
    agency_name=TEXT,
    title=TEXT,
    text=TEXT,
    legality=TEXT,
    basis=LegalBasis.CONSENT,
    legal_ref=None,
    required=(ClaimNeed("name", TEXT), ClaimNeed("email", TEXT)),
    optional=(ClaimNeed("phone_number", TEXT),),
    details=TEXT,
    retention=TEXT,
    period=TEXT,
    max_validity_days=365,
    recipients=TEXT,
    rights=TEXT,
    text_hash="0" * 64,
    declared_at=NOW,
)
GRANT = Grant(
    id="g",
    person="p",
    client="c",
    client_name="Aduan",
    agency="diskominfo",
    purpose="aduan",
    purpose_version=2,
    basis=LegalBasis.CONSENT,
    claims=frozenset({"name", "email"}),
    offered=frozenset({"name", "email", "phone_number"}),
    state=GrantState.ACTIVE,
    version=2,
    opened_at=NOW,
    given_at=NOW,
    expires_at=NOW + dt.timedelta(days=365),
    language="id",
)
ALL = frozenset({"name", "email", "phone_number"})


def test_a_new_application_asks() -> None:
    assert decide(ALL, PURPOSE, None, NOW) == Ask(frozenset({"name", "email"}), frozenset({"phone_number"}), "consent")


def test_only_what_is_asked_stands_on_the_card() -> None:
    assert decide(frozenset({"name"}), PURPOSE, None, NOW) == Ask(frozenset({"name"}), frozenset(), "consent")


def test_what_was_not_declared_never_stands_on_the_card() -> None:
    assert decide(frozenset({"name", "nik"}), PURPOSE, None, NOW) == Ask(frozenset({"name"}), frozenset(), "consent")


def test_a_grant_that_covers_what_is_asked_needs_no_card() -> None:
    assert decide(frozenset({"name", "email"}), PURPOSE, GRANT, NOW) == Allowed(frozenset({"name", "email"}), GRANT)


def test_an_optional_one_that_was_left_off_is_not_asked_again() -> None:
    assert decide(ALL, PURPOSE, GRANT, NOW) == Allowed(frozenset({"name", "email"}), GRANT)


def test_claims_beyond_the_grant_ask_again() -> None:
    narrow = dataclasses.replace(GRANT, offered=frozenset({"name", "email"}))
    assert isinstance(decide(ALL, PURPOSE, narrow, NOW), Ask)


def test_a_required_one_that_is_missing_asks_again() -> None:
    assert isinstance(decide(ALL, PURPOSE, dataclasses.replace(GRANT, claims=frozenset({"name"})), NOW), Ask)


def test_a_new_version_of_the_purpose_asks_again() -> None:
    assert isinstance(decide(ALL, dataclasses.replace(PURPOSE, version=3), GRANT, NOW), Ask)


@pytest.mark.parametrize("state", [state for state in GrantState if state is not GrantState.ACTIVE])
def test_a_grant_that_is_not_active_asks_again(state: GrantState) -> None:
    assert isinstance(decide(ALL, PURPOSE, dataclasses.replace(GRANT, state=state), NOW), Ask)


def test_after_its_time_a_grant_asks_again_to_the_microsecond() -> None:
    over = NOW + dt.timedelta(days=365)
    assert isinstance(decide(ALL, PURPOSE, GRANT, over), Ask)
    assert isinstance(decide(ALL, PURPOSE, GRANT, over - dt.timedelta(microseconds=1)), Allowed)


def test_prompt_consent_asks_again() -> None:
    assert isinstance(decide(ALL, PURPOSE, GRANT, NOW, force=True), Ask)


@pytest.mark.parametrize("basis", [basis for basis in LegalBasis if basis is not LegalBasis.CONSENT])
def test_what_does_not_rest_on_consent_is_told_by_a_notice(basis: LegalBasis) -> None:
    asked = decide(ALL, dataclasses.replace(PURPOSE, basis=basis), None, NOW)
    assert isinstance(asked, Ask)
    assert asked.kind == "notice"


def test_a_grant_for_another_purpose_is_refused() -> None:
    assert decide(ALL, PURPOSE, dataclasses.replace(GRANT, purpose="antrean"), NOW) == Refused("other_purpose")


def test_a_sign_in_that_asks_for_no_data_still_has_its_card_once() -> None:
    assert decide(frozenset(), PURPOSE, None, NOW) == Ask(frozenset(), frozenset(), "consent")
    assert decide(frozenset(), PURPOSE, GRANT, NOW) == Allowed(frozenset(), GRANT)


def test_reading_follows_the_version_that_was_agreed_to() -> None:
    newer = dataclasses.replace(PURPOSE, version=3, required=(ClaimNeed("name", TEXT),), optional=(ClaimNeed("nik", TEXT),))
    assert readable(ALL | {"nik"}, PURPOSE, newer, GRANT, NOW) == {"name"}


def test_reading_under_another_version_than_the_grant_names_gives_nothing() -> None:
    assert readable(ALL, dataclasses.replace(PURPOSE, version=1), PURPOSE, GRANT, NOW) == frozenset()


def test_reading_after_withdrawal_gives_nothing() -> None:
    assert readable(ALL, PURPOSE, PURPOSE, dataclasses.replace(GRANT, state=GrantState.WITHDRAWN), NOW) == frozenset()

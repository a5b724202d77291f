"""law.md R2, R3, R5, R8, R23, R28: what stands on a card, and who is shown none."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consent.decision import Ask
from consent.purposes.declaration import build, parse
from idp.accounts.records import Account, AccountState
from idp.approve.rules import Blocked, CardIncomplete, Item, Parties, Shown, allowed, blocked, card, text_hash

if TYPE_CHECKING:
    from consent.records import Purpose

DEMO = Path(__file__).parents[3] / "idp" / "demo" / "purposes"
NOW = dt.datetime(2026, 11, 24, 3, tzinfo=dt.UTC)
PARTIES = Parties("Aduan Warga", "dpo@diskominfo.example", "dpo@kota.example")
ASK = Ask(frozenset({"name", "email"}), frozenset({"phone_number"}), "consent")
VALUES = {"name": Shown("Sukarni", "asserted"), "email": Shown("s@example.id", "verified")}
ACCOUNT = Account(
    person="p",
    number="1234",
    state=AccountState.ACTIVE,
    locale="id",
    password_hash=None,
    created_at=NOW,
    last_used_at=NOW,
    minor=False,
    has_totp=False,
    has_code_card=False,
    nik_verified=False,
    nik_paused_until=None,
)


def purpose(name: str = "aduan") -> Purpose:
    return build(parse((DEMO / f"{name}.toml").read_text(encoding="utf-8")), 1, NOW)


def test_a_card_shows_what_is_asked_with_its_values_their_source_and_why() -> None:
    view = card(ASK, purpose(), PARTIES, VALUES, "id")
    assert [(item.claim, item.value, item.source) for item in view.required] == [
        ("name", "Sukarni", "asserted"),
        ("email", "s@example.id", "verified"),
    ]
    assert view.optional == (Item("phone_number", "Agar petugas dapat menelepon jika ada yang kurang jelas.", None, None),)
    assert view.offered == {"name", "email", "phone_number"}


def test_a_card_speaks_the_readers_language() -> None:
    assert card(ASK, purpose(), PARTIES, VALUES, "en").title == "Receiving and answering your complaint"


def test_what_is_kept_of_a_card_holds_no_value() -> None:
    kept = card(ASK, purpose(), PARTIES, VALUES, "id").without_values()
    assert "Sukarni" not in str(kept)
    assert all(item.value is None and item.source is None for item in (*kept.required, *kept.optional))
    assert kept.offered == {"name", "email", "phone_number"}


@pytest.mark.parametrize("field", ["title", "text", "legality", "details", "retention", "period", "recipients", "rights", "agency_name"])
def test_a_card_that_lacks_something_cannot_be_shown(field: str) -> None:
    lacking = dataclasses.replace(purpose(), **{field: {"id": " ", "en": " "}})
    with pytest.raises(CardIncomplete):
        card(ASK, lacking, PARTIES, VALUES, "id")


def test_a_card_without_a_data_protection_officer_cannot_be_shown() -> None:
    with pytest.raises(CardIncomplete, match="contact"):
        card(ASK, purpose(), Parties("Aduan Warga", None, ""), VALUES, "id")


def test_a_card_that_does_not_say_why_a_kind_of_data_matters_cannot_be_shown() -> None:
    lacking = dataclasses.replace(purpose(), optional=(dataclasses.replace(purpose().optional[0], relevance={"id": "", "en": ""}),))
    with pytest.raises(CardIncomplete, match="phone_number"):
        card(ASK, lacking, PARTIES, VALUES, "id")


def test_a_notice_that_does_not_name_its_law_cannot_be_shown() -> None:
    ask = Ask(frozenset({"name"}), frozenset(), "notice")
    with pytest.raises(CardIncomplete, match="legal_ref"):
        card(ask, dataclasses.replace(purpose("izin-usaha"), legal_ref=None), PARTIES, VALUES, "id")


def test_only_what_was_switched_on_is_added() -> None:
    assert allowed(ASK, {}) == {"name", "email"}
    assert allowed(ASK, {"allow-phone_number": "on"}) == {"name", "email", "phone_number"}
    assert allowed(ASK, {"allow-nik": "on", "allow-address": "on"}) == {"name", "email"}


def test_a_nik_that_nobody_checked_is_not_asked_for_on_a_card() -> None:
    ask = Ask(frozenset({"name", "nik"}), frozenset(), "notice")
    assert blocked(ask, ACCOUNT) is Blocked.NIK
    assert blocked(ask, dataclasses.replace(ACCOUNT, nik_verified=True)) is None


def test_a_childs_data_waits_for_the_guardian() -> None:
    child = dataclasses.replace(ACCOUNT, minor=True, nik_verified=True)
    assert blocked(ASK, child) is Blocked.MINOR
    assert blocked(Ask(frozenset(), frozenset(), "consent"), child) is None


def test_the_hash_is_of_the_text() -> None:
    assert text_hash("a") != text_hash("b")
    assert len(text_hash("a")) == 64

"""OIDC Core §3.1.2.1, Initiating User Registration: prompt in every combination, display, locales, whom a claim names."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.application import part
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from tests.support.application import Application

WORDS = ("none", "login", "consent", "select_account", "create")


async def signed_in(app: Application) -> str:
    return str(part((await app.tokens())["id_token"], 1)["sub"])


async def test_every_combination_leads_to_its_page_or_to_an_error(app: Application) -> None:
    await signed_in(app)
    app.provider.clock.move(seconds=1)
    for size in range(1, len(WORDS) + 1):
        for words in itertools.combinations(WORDS, size):
            page = await app.ask(prompt=" ".join(words))
            if "none" in words:
                assert ("code" in page.answer) if size == 1 else (page.answer["error"] == "invalid_request"), words
            else:
                first = "/enrol" if "create" in words else "/login" if {"login", "select_account"} & set(words) else "/approve"
                assert (page.left, page.path) == (None, first), words


async def test_login_consent_and_select_account_are_each_asked_once(app: Application) -> None:
    await signed_in(app)
    app.provider.clock.move(seconds=1)
    page = await app.ask(prompt="login consent select_account")
    page = await app.visitor.sign_in(page, app.provider.person())
    assert page.path == "/approve"
    assert "code" in (await app.visitor.allow(page)).answer


async def test_create_leads_to_enrolment_and_back(app: Application) -> None:
    page = await app.ask(prompt="create")
    assert page.path == "/enrol"
    visitor = app.visitor
    who = {"name": "Rina Baru", "birthdate": "17-08-1990", "identifier": "rina.baru@contoh.id"}
    page = await visitor.submit(page, page.form("identifier", "name"), **who)
    assert page.path == "/enrol/password", page.text
    page = await visitor.submit(page, page.form("password"), password="kata-sandi-yang-panjang-sekali")
    (letter,) = await letters(app.provider, who["identifier"])
    page = await visitor.submit(page, page.form("code"), code=letter.code)
    assert page.path == "/approve", page.text
    assert "code" in (await visitor.allow(page)).answer


async def test_create_of_somebody_who_has_an_account_is_a_sign_in(app: Application) -> None:
    page = await app.ask(prompt="create")
    page = await app.visitor.get(page.url.replace("/enrol", "/login"))
    page = await app.visitor.sign_in(page, app.provider.person())
    assert "code" in (await app.visitor.allow(page)).answer


async def test_discovery_names_the_prompts_and_displays(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert set(document["prompt_values_supported"]) == set(WORDS)
    assert set(document["display_values_supported"]) == {"page", "popup", "touch", "wap"}
    assert document["acr_values_supported"] == ["aal1", "aal2", "aal3"]


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap"])
async def test_display_changes_nothing(app: Application, display: str) -> None:
    assert (await app.ask(display=display)).path == "/login"


async def test_claims_locales_and_ui_locales_are_wishes(app: Application) -> None:
    assert "code" in await app.through(claims_locales="se fr-CA id", ui_locales="xx en")


async def test_5_5_1_claims_may_name_the_subject_or_several(app: Application) -> None:
    subject = await signed_in(app)
    for member in ({"value": subject}, {"values": ["another", subject]}):
        for place in ("id_token", "userinfo"):
            page = await app.ask(prompt="none", claims=json.dumps({place: {"sub": member}}))
            assert "code" in page.answer
    for wrong in ({"value": "another"}, {"values": ["another", "third"]}):
        page = await app.ask(prompt="none", claims=json.dumps({"id_token": {"sub": wrong}}))
        assert page.answer["error"] == "login_required"


async def test_5_5_1_1_acr_by_values_essential_or_not(app: Application) -> None:
    await signed_in(app)
    for values, essential, error in (
        (["aal1"], True, None), (["aal2"], True, "interaction_required"), (["aal2"], False, "interaction_required"),
        (["aal2", "aal1"], True, None), (["gold"], True, "unmet_authentication_requirements"), (["gold"], False, None),
        (["aal3"], True, "interaction_required"), (["aal3", "gold"], False, "interaction_required"), (["aal3", "aal1"], True, None),
    ):  # fmt: skip
        wanted = json.dumps({"id_token": {"acr": {"essential": essential, "values": values}}})
        assert (await app.ask(prompt="none", claims=wanted)).answer.get("error") == error, (values, essential)


async def test_a_hint_of_another_persons_session_is_login_required_without_a_page(app: Application) -> None:
    first = (await app.tokens())["id_token"]
    other = await app.provider.visitor()
    app.visitor = other
    assert (await app.ask(prompt="none", id_token_hint=first)).answer["error"] == "login_required"

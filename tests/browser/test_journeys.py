"""ui.md's journeys, walked in a real browser: with scripts and without, in both languages, on a small telephone."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any

import pyotp
import pytest

from idp.pages.texts import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

WAYS = [("id", True), ("en", True), ("id", False), ("en", False)]


def t(visitor: Walk, name: str, **values: object) -> str:
    return catalogue(visitor.language).text(name, **values)


def withdraw_everything(visitor: Walk) -> None:
    """Take every permission back, so that the next visit is a first one. Somebody must be signed in."""
    visitor.go("/me/permissions")
    while visitor.page.locator("main .card .row a.button").count():
        visitor.page.locator("main .card .row a.button").first.click()
        visitor.page.click("main form .button.danger")
        visitor.page.wait_for_url("**/me/permissions?done=**")


def first_again(walk: Callable[..., Walk], demo: Demo, name: str) -> None:
    visitor = walk()
    visitor.go("/login").sign_in(demo.citizen(name))
    withdraw_everything(visitor)


def to_service(visitor: Walk, demo: Demo, application: str) -> Walk:
    visitor.go(demo.application(application))
    visitor.page.click("#sign-in")
    return visitor


def arrive(visitor: Walk, demo: Demo, application: str) -> None:
    """Wait until the application shows what it read."""
    visitor.page.wait_for_url(f"{demo.application(application)}/")
    visitor.page.wait_for_selector("#claims")


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_first_visit_card_read_history_check_second_service_and_withdrawal(
    walk: Callable[..., Walk], demo: Demo, language: str, *, scripts: bool
) -> None:
    siti = demo.citizen("Siti")
    first_again(walk, demo, "Siti")
    visitor: Walk = walk(360, language, scripts=scripts)

    # password, then one card with the values that would be read
    to_service(visitor, demo, "aduan").look("journey-sign-in").sign_in(siti)
    visitor.page.wait_for_url("**/approve**")
    visitor.look("journey-card")
    assert "Siti Rahmawati" in visitor.text
    assert siti["email"] in visitor.text
    for switch in visitor.page.locator("main input[role=switch]").all():
        assert not switch.is_checked()
    visitor.page.click("[name=approve]")

    # back at the service, which read the data and knows the number of the entry
    arrive(visitor, demo, "aduan")
    assert visitor.page.inner_text("#name") == "Siti Rahmawati"
    entry = visitor.page.inner_text("#access-log-id")

    # the citizen finds that very entry, and can check it
    visitor.go("/").look("journey-door")
    assert "Aduan Warga" in visitor.page.inner_text("main section.card")
    visitor.page.click("main section.card a.button")
    visitor.page.wait_for_url("**/me/history")
    assert entry in visitor.page.inner_html("main")
    visitor.page.locator("main .entries summary").first.click()
    visitor.look("journey-history")
    visitor.page.click("main form[action='/me/history'] button")
    assert t(visitor, "history.check.whole") in visitor.text
    visitor.look("journey-checked")

    # a second service needs no password, only its own card
    to_service(visitor, demo, "antrean")
    visitor.page.wait_for_url("**/approve**")
    visitor.page.click("[name=approve]")
    arrive(visitor, demo, "antrean")

    # and the first one, asked again, shows no page at all
    visitor.go(f"{demo.application('aduan')}/masuk")
    arrive(visitor, demo, "aduan")

    # stopping a service: one tap and one confirmation; its next read is refused
    visitor.go("/me/permissions").look("journey-permissions")
    card = visitor.page.locator("main .card", has_text="Aduan Warga").first
    card.locator(".row a", has_text=t(visitor, "permissions.receipt")).last.click()
    visitor.look("journey-receipt")
    assert t(visitor, "approve.consent.title", client="Aduan Warga") in visitor.text  # the card's words as they were read
    visitor.page.go_back()
    card.locator(".row a.button").click()
    visitor.look("journey-withdraw")
    visitor.page.click("main form .button.danger")
    assert t(visitor, "permissions.withdrawn.title", service="Aduan Warga") in visitor.text
    visitor.look("journey-withdrawn")
    visitor.go(demo.application("aduan"))
    visitor.page.click("#read")
    visitor.page.wait_for_selector("#problem")
    visitor.go("/logout").submit()
    visitor.look("journey-signed-out")


@pytest.mark.parametrize("language", ["id", "en"])
def test_saying_no_leads_back_to_the_service(walk: Callable[..., Walk], demo: Demo, language: str) -> None:
    first_again(walk, demo, "Sukarni")
    visitor: Walk = walk(360, language)
    to_service(visitor, demo, "aduan").sign_in(demo.citizen("Sukarni"))
    visitor.page.wait_for_url("**/approve**")
    visitor.page.click("[name=deny]")
    visitor.page.wait_for_url(f"{demo.application('aduan')}/callback**")
    assert "access_denied" in visitor.page.url or "access_denied" in visitor.text


@pytest.mark.parametrize("language", ["id", "en"])
def test_what_the_law_demands_is_told_and_not_asked(walk: Callable[..., Walk], demo: Demo, language: str) -> None:
    first_again(walk, demo, "Siti")
    visitor: Walk = walk(360, language)
    to_service(visitor, demo, "izin").sign_in(demo.citizen("Siti"))
    visitor.page.wait_for_url("**/approve**")
    visitor.look("journey-notice")
    visitor.page.click("[name=approve]")
    arrive(visitor, demo, "izin")
    assert demo.citizen("Siti")["nik"] in visitor.text


@pytest.mark.parametrize("language", ["id", "en"])
def test_an_unverified_citizen_is_sent_to_the_counter(walk: Callable[..., Walk], demo: Demo, language: str) -> None:
    visitor: Walk = walk(360, language)
    to_service(visitor, demo, "izin").sign_in(demo.citizen("Dewi"))
    visitor.page.wait_for_url("**/approve**")
    visitor.look("journey-counter")
    assert "KTP" in visitor.text


@pytest.mark.parametrize(("scripts", "name"), [(True, "Budi"), (False, "Hendra")])
def test_a_second_code_sends_itself_where_scripts_run(walk: Callable[..., Walk], demo: Demo, *, scripts: bool, name: str) -> None:
    person = demo.citizen(name)
    if "IDP_TEST_DEMO" in os.environ:
        _wait_for_a_new_code()
    visitor: Walk = walk(360, scripts=scripts)
    visitor.go("/login")
    visitor.page.fill("#identifier", person["email"])
    visitor.page.fill("#password", person["password"])
    visitor.submit()
    visitor.page.wait_for_url("**/login/second-factor**")
    visitor.look("journey-second-code")
    visitor.enter_code("000000")
    visitor.look("journey-second-code-wrong")
    visitor.enter_code(pyotp.TOTP(person["totp_secret"]).now())
    visitor.page.wait_for_selector(".who b")
    assert visitor.page.inner_text(".who b") == person["name"]


def _wait_for_a_new_code() -> None:
    """A code is good once, and a demonstration that runs on may have seen this one: let the next thirty seconds begin."""
    time.sleep(30 - time.time() % 30 + 0.5)


def test_errors_stand_on_top_and_beside_the_field_and_nothing_typed_is_lost(walk: Callable[..., Walk]) -> None:
    visitor: Walk = walk(360)
    visitor.go("/login")
    visitor.page.fill("#identifier", "siti@example.com")
    visitor.submit()
    visitor.look("sign-in-missing")
    assert visitor.page.input_value("#identifier") == "siti@example.com"
    assert visitor.page.get_attribute("#password", "aria-invalid") == "true"
    visitor.page.click("#errors a")
    assert visitor.page.evaluate("document.activeElement.id") == "password"


def test_without_cookies_the_page_says_what_to_do(walk: Callable[..., Walk]) -> None:
    visitor: Walk = walk(360)
    visitor.go("/login")
    visitor.context.clear_cookies()  # what a browser that keeps none would send
    visitor.page.fill("#identifier", "siti@example.com")
    visitor.page.fill("#password", "apa saja")
    visitor.submit()
    visitor.look("cookies-off")
    assert t(visitor, "error.cookies_off.title") in visitor.text


def test_the_back_button_after_approval_leads_on(walk: Callable[..., Walk], demo: Demo) -> None:
    first_again(walk, demo, "Sukarni")
    visitor: Walk = walk(360)
    to_service(visitor, demo, "aduan").sign_in(demo.citizen("Sukarni"))
    visitor.page.wait_for_url("**/approve**")
    card = visitor.page.url
    visitor.page.click("[name=approve]")
    arrive(visitor, demo, "aduan")
    visitor.go(card).look("finished")
    assert t(visitor, "error.finished.title") in visitor.text
    visitor.page.click("main .button:not(.secondary)")
    assert visitor.page.url.rstrip("/") == demo.application("aduan")
    visitor.go(card).page.click("main .button.secondary")
    assert visitor.page.url.rstrip("/") == demo.issuer


def test_a_second_tab_can_finish_what_the_first_began(walk: Callable[..., Walk], demo: Demo) -> None:
    first_again(walk, demo, "Sukarni")
    visitor: Walk = walk(360)
    to_service(visitor, demo, "aduan")
    second = visitor.context.new_page()
    second.goto(visitor.page.url)
    visitor.sign_in(demo.citizen("Sukarni"))
    visitor.page.wait_for_url("**/approve**")
    visitor.page.click("[name=approve]")
    arrive(visitor, demo, "aduan")
    second.reload()
    assert second.locator("main .button, main form").count() >= 1
    assert "error" not in second.title().lower()


def test_an_expired_or_foreign_page_leads_on(walk: Callable[..., Walk], demo: Demo) -> None:
    visitor, stranger = walk(360), walk(360)
    to_service(visitor, demo, "aduan")
    stranger.go("/login").go(visitor.page.url).look("foreign-browser")
    assert t(stranger, "error.foreign_browser.title") in stranger.text


def test_a_bookmarked_sign_in_page_still_signs_in(walk: Callable[..., Walk], demo: Demo) -> None:
    visitor: Walk = walk(360)
    visitor.go("/login?next=https://elsewhere.example/").sign_in(demo.citizen("Sukarni"))
    visitor.page.wait_for_selector(".who b")
    assert visitor.page.url.startswith(demo.issuer)


def test_a_wrong_password_does_not_erase_an_account(walk: Callable[..., Walk], demo: Demo) -> None:
    visitor: Walk = walk(360)
    visitor.go("/login").sign_in(demo.citizen("Sukarni")).go("/me/erase")
    visitor.page.fill("#password", "bukan sandi saya")
    visitor.page.click("main form .button.danger")
    visitor.look("erase-wrong")
    assert t(visitor, "erase.wrong") in visitor.text
    visitor.go("/me/data")
    assert re.search(r"Sukarni", visitor.text)


def test_the_data_page_shows_values_with_their_source_and_a_nik_by_its_ends(walk: Callable[..., Walk], demo: Demo) -> None:
    visitor: Walk = walk(1280)
    person: dict[str, Any] = demo.citizen("Siti")
    visitor.go("/login").sign_in(person).go("/me/data")
    assert f"{person['nik'][:4]}••••••••{person['nik'][-4:]}" in visitor.text
    assert person["nik"] not in visitor.page.content()
    assert t(visitor, "common.source.verified") in visitor.text

"""ui.md: "first time in the city" in three screens, a printed code card, a forgotten password, and leaving for good."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from idp.pages.texts import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

FIRST, SECOND = "kuda laut biru 77", "perahu kayu tua 42"


def messages(outbox: Path) -> set[Path]:
    """Give the messages that are there now."""
    return set(outbox.glob("*.json"))


def mailed_code(outbox: Path, before: set[Path]) -> str:
    """Wait for a message with a code that was not there before."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for file in messages(outbox) - before:
            found = re.search(r"\b(\d{6}|\d{8})\b", json.loads(file.read_text("utf-8"))["text"])
            if found:
                return found[1]
        time.sleep(0.1)
    raise AssertionError("no code came")


def enrol(visitor: Walk, demo: Demo, email: str) -> None:
    """Name, birth date and address; a password; the code."""
    visitor.go("/enrol").look("enrol")
    visitor.page.fill("#name", "Ayu")
    visitor.page.fill("#birthdate", "17-08-1990")
    visitor.page.fill("#identifier", email)
    visitor.submit()
    visitor.look("enrol-password")
    visitor.page.fill("#password", FIRST)
    before = messages(demo.outbox)
    visitor.submit()
    visitor.page.wait_for_selector("#code")
    visitor.look("enrol-code").enter_code(mailed_code(demo.outbox, before))
    visitor.page.wait_for_selector(".who b")


@pytest.mark.parametrize(("language", "scripts"), [("id", True), ("en", False)])
def test_a_newcomer_enrols_prints_a_card_changes_the_password_and_leaves_for_good(
    walk: Callable[..., Walk], demo: Demo, language: str, *, scripts: bool
) -> None:
    visitor: Walk = walk(360, language, scripts=scripts)
    email = f"{uuid4().hex[:10]}@example.com"
    enrol(visitor, demo, email)
    assert visitor.page.inner_text(".who b") == "Ayu"  # one word is a whole name

    # sixteen printed codes, each good once
    visitor.go("/security/card").look("code-card").submit()
    codes = visitor.page.locator(".codes li").all_inner_texts()
    assert len(codes) == 16
    visitor.look("code-card-codes")

    # another browser: the password, then a code of the card, which works once
    elsewhere: Walk = walk(360, language, scripts=scripts)
    elsewhere.go("/login")
    elsewhere.page.fill("#identifier", email)
    elsewhere.page.fill("#password", FIRST)
    elsewhere.submit()
    elsewhere.page.wait_for_url("**/login/code-card**")
    elsewhere.page.fill("#code", codes[0])
    elsewhere.look("code-card-asked").submit()
    elsewhere.page.wait_for_selector(".who b")

    # leaving for good: what it means, the password, a page to keep
    visitor.go("/me/erase").look("erase-asked")
    visitor.page.fill("#password", FIRST)
    visitor.page.click("main form .button.danger")
    visitor.page.wait_for_selector("h1")
    assert catalogue(language).text("erase.done.title") in visitor.text
    visitor.look("erased")
    visitor.go("/me/data")
    assert "/login" in visitor.page.url
    elsewhere.go("/me/data")
    assert "/login" in elsewhere.page.url


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("id", False)])
def test_a_forgotten_password_is_replaced_with_a_mailed_code(
    walk: Callable[..., Walk], demo: Demo, language: str, *, scripts: bool
) -> None:
    visitor: Walk = walk(360, language, scripts=scripts)
    email = f"{uuid4().hex[:10]}@example.com"
    enrol(visitor, demo, email)
    visitor.go("/logout").submit()
    visitor.go("/recover").look("forgotten")
    visitor.page.locator("main form input:not([type=hidden])").first.fill(email)
    before = messages(demo.outbox)
    visitor.submit()
    visitor.page.wait_for_selector("#code")
    visitor.look("forgotten-code")
    visitor.page.fill("#code", mailed_code(demo.outbox, before))
    visitor.page.fill("#password", SECOND)
    visitor.submit()
    visitor.look("forgotten-done")
    visitor.go("/login")
    if visitor.page.locator(".who b").count() == 0:
        visitor.page.fill("#identifier", email)
        visitor.page.fill("#password", SECOND)
        visitor.submit()
    visitor.page.wait_for_selector(".who b")

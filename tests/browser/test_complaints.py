"""ui.md: "this seems wrong" opens a complaint with a number and a 72-hour clock, with scripts and without, and staff answer it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.test_journeys import arrive, t, to_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

WORDS = "Saya tidak pernah meminta ini.\nTolong diperiksa."
ANSWER = "Kami periksa: itu permintaan Anda sendiri."


def read_once(visitor: Walk, demo: Demo) -> None:
    """Let a service read something of Siti."""
    to_service(visitor, demo, "aduan").sign_in(demo.citizen("Siti"))
    visitor.page.wait_for_url(re.compile("/approve|" + re.escape(demo.application("aduan")) + "/$"))
    if "/approve" in visitor.page.url:
        visitor.page.click("[name=approve]")
    arrive(visitor, demo, "aduan")


def test_from_the_history_to_an_answer(walk: Callable[..., Walk], demo: Demo) -> None:
    links = []
    for language, scripts, width in (("id", True, 360), ("en", False, 1280)):
        visitor: Walk = walk(width, language, scripts=scripts)
        read_once(visitor, demo)
        visitor.go("/me/history")
        visitor.page.locator("main .entries summary").first.click()
        visitor.page.locator("main .entries details[open] a", has_text=t(visitor, "history.seems_wrong")).first.click()
        visitor.submit().look("complaint-empty")
        visitor.page.fill("#text", WORDS)
        visitor.look("complaint-form").submit()
        visitor.page.wait_for_url("**/me/complaints/*")
        visitor.look("complaint-received")
        assert re.search(r"ADU-\d{4}-\d{6}", visitor.text)
        assert "Tolong diperiksa." in visitor.text
        links.append(visitor.page.url)
        visitor.go("/me/complaints").look("complaints")
        assert visitor.page.locator("main .entries li").count() == len(links)

    officer: Walk = walk(360)
    officer.go("/login?next=/complaints").sign_in(demo.said["dpo"])
    officer.page.wait_for_url("**/complaints")
    officer.look("complaints-staff")
    officer.go(links[0].replace("/me/", "/")).look("complaint-staff")
    assert "Tolong diperiksa." not in officer.text
    officer.page.fill("#reason", "Memeriksa aduan warga")
    officer.submit().look("complaint-staff-open")
    assert "Tolong diperiksa." in officer.text
    officer.page.fill("#answer", ANSWER)
    officer.submit().look("complaint-staff-done")

    citizen: Walk = walk(1280, "en")
    citizen.go("/login").sign_in(demo.citizen("Siti")).go(links[0]).look("complaint-answered")
    assert ANSWER in citizen.text
    citizen.page.click("main form[action^='/me/complaints/'] button")
    citizen.look("complaint-passed-on")
    assert t(citizen, "complaints.one.passed_on") in citizen.text
    citizen.go("/me/history")
    assert "Memeriksa aduan warga" in citizen.page.inner_html("main")

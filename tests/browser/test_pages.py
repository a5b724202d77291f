"""ui.md: every page, both languages, telephone and desk: axe finds nothing, nothing comes from elsewhere, nothing is a dead end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

OUTSIDE = {
    "landing": "/",
    "sign-in": "/login",
    "enrol": "/enrol",
    "recover": "/recover",
    "auditor": "/audit",
    "not-found": "/tidak-ada",
    "expired": "/login?interaction=AAAAAAAAAAAAAAAAAAAAAA",
    "service-unknown": "/authorize?client_id=tidak-ada",
    "signed-out": "/logout",
    "device": "/device",
    "device-allowed": "/device/done?answer=allowed",
    "device-denied": "/device/done?answer=denied",
}
INSIDE = {
    "home": "/",
    "history": "/me/history",
    "history-file": "/me/history/file",
    "data-file": "/me/data/file",
    "complaints": "/me/complaints",
    "told": "/me/told",
    "freeze": "/me/freeze",
    "history-filtered": "/me/history?action=erase",
    "permissions": "/me/permissions",
    "data": "/me/data",
    "correct": "/me/data/correct",
    "erase": "/me/erase",
    "security": "/security",
    "contact": "/security/contact",
    "auditor-signed-in": "/audit",
    "no-permission": "/me/permissions/AAAAAAAAAAAAAAAAAAAAAA",
    "requests": "/me/requests",
    "sign-out": "/logout",
}
TELEPHONE, DESK = 360, 1280
VIEWS = {
    "id": [(TELEPHONE, "light"), (DESK, "light"), (TELEPHONE, "dark"), (DESK, "dark")],
    "en": [(TELEPHONE, "light"), (DESK, "light")],
}


@pytest.mark.parametrize("language", VIEWS)
def test_every_page_passes_axe_and_fits_the_screen(walk: Callable[..., Walk], demo: Demo, language: str) -> None:
    views = VIEWS[language]
    visitor: Walk = walk(TELEPHONE, language)
    visitor.go("/login")  # the first form gives the browser its id
    for name, path in OUTSIDE.items():
        visitor.go(path).look(name, views)
    visitor.go("/login").sign_in(demo.citizen("Siti"))
    for name, path in INSIDE.items():
        visitor.go(path).look(name, views)
        assert visitor.page.locator(".who b").inner_text() == "Siti Rahmawati", name
        assert visitor.page.locator("form[action='/logout']").count() >= 1, name


def test_pages_fit_320_pixels_and_twice_the_text(walk: Callable[..., Walk], demo: Demo) -> None:
    visitor: Walk = walk(320)
    visitor.go("/login").look("sign-in-narrow").sign_in(demo.citizen("Siti"))
    for name, path in INSIDE.items():
        visitor.go(path).look(f"{name}-narrow")
    zoomed: Walk = walk(640, device_scale_factor=2)
    zoomed.go("/login").sign_in(demo.citizen("Siti")).go("/me/history")
    zoomed.page.add_style_tag(content="html{font-size:200%}") if not zoomed.scripts else zoomed.page.evaluate(
        "document.documentElement.style.setProperty('font-size', '200%')"
    )
    assert zoomed.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("language", ["id", "en"])
def test_no_link_on_our_pages_is_a_dead_end(walk: Callable[..., Walk], demo: Demo, language: str) -> None:
    visitor: Walk = walk(1280, language)
    visitor.go("/login").sign_in(demo.citizen("Siti"))
    waiting, seen = ["/", "/login", "/audit"], set[str]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = visitor.page.goto(demo.issuer + path)
        if answer is None or "html" not in answer.headers.get("content-type", ""):
            continue
        assert answer.status < 400, path
        for href in visitor.page.eval_on_selector_all("a[href]:not([download])", "links => links.map(link => link.href)"):
            there = urlsplit(urljoin(visitor.page.url, href))
            if f"{there.scheme}://{there.netloc}" == demo.issuer and "lang=" not in there.query and not there.path.endswith("/receipt"):
                waiting.append(there.path + (f"?{there.query}" if there.query else ""))
    assert {"/me/history", "/me/permissions", "/me/data", "/security"} <= seen


def test_a_page_can_be_walked_by_keyboard_alone(walk: Callable[..., Walk], demo: Demo) -> None:
    visitor: Walk = walk(1280)
    visitor.go("/login")
    person = demo.citizen("Siti")
    visitor.page.focus("#identifier")
    visitor.page.keyboard.type(person["email"])
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.type(person["password"])
    ring = visitor.page.eval_on_selector("#password", "field => getComputedStyle(field).outlineStyle")
    assert ring == "solid"
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_selector(".who b")
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")  # the first stop skips to the content
    assert visitor.page.url.endswith("#main")


def test_password_managers_know_every_field(walk: Callable[..., Walk]) -> None:
    visitor: Walk = walk(360)
    visitor.go("/login")
    assert visitor.page.get_attribute("#identifier", "autocomplete") == "username"
    assert visitor.page.get_attribute("#password", "autocomplete") == "current-password"
    assert visitor.page.locator("#remember, [name=remember]").is_checked() is False


def test_the_language_switch_keeps_the_page_and_is_remembered(walk: Callable[..., Walk]) -> None:
    visitor: Walk = walk(360)
    visitor.go("/login?next=/me/history")
    visitor.page.click("a[hreflang=en]")
    assert "next=" in visitor.page.url
    visitor.language = "en"
    visitor.go("/audit").look("auditor")
    assert visitor.page.title() == "The record of data reads · Gerbang"

"""Every form of every page, sent twice, from another browser, without cookies, without its token: a page that leads on, never a fault.

Forms are found by opening every page that the application routes, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.routing import Route

from idp.app import _routes
from idp.interactions.records import Step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from urllib.parse import SplitResult

    import httpx2

    from tests.support.running import Provider
    from tests.support.visitor import Form, Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])
STEPS = (
    "/login",
    "/login/second-factor",
    "/login/code-card",
    "/approve",
    "/enrol",
    "/recover",
    "/recover/factor",
    "/recover/slip",
    "/security/totp",
    "/security/card",
)
PAGES = sorted(
    {
        route.path
        for route in _routes()
        if isinstance(route, Route) and "GET" in (route.methods or ()) and not route.path.startswith("/static/")
    }
)
ENDING = {"/logout", "/me/erase"}
"""Forms that end what the next ones need: they are sent last."""


def leads_on(answer: httpx2.Response, what: str) -> None:
    """Demand a page with a heading and a way on, or a redirect; never a fault."""
    assert answer.status_code < 500 or answer.status_code == 503, f"{what}: {answer.status_code} {answer.text[:500]}"
    assert "Traceback" not in answer.text, what
    if answer.status_code >= 400 and answer.headers["content-type"].startswith("text/html"):
        assert "<h1>" in answer.text, what
        assert re.search(r"<(a|form) ", answer.text.partition("<main")[2]), f"{what}: nothing leads on"


async def forms(provider: Provider) -> AsyncIterator[tuple[Visitor, Page, Form]]:
    """Open every page as somebody who is signed in and has a running request, and give every form that posts."""
    visitor = await provider.visitor()
    page = await visitor.get(provider.ask().url)
    interaction = page.url.partition("interaction=")[2]
    yield visitor, page, page.form("identifier", "password")
    page = await visitor.sign_in(page, provider.person())
    yield visitor, page, page.form("approve")
    grants = re.findall(r"/me/permissions/([\w-]{22})", (await visitor.get("/me/permissions")).text)
    for path in sorted(PAGES, key=lambda path: path in ENDING):
        for query in ("", f"?interaction={interaction}") if path in STEPS else ("",):
            target = path.replace("{grant}", next(iter(grants), "none")).replace("{purpose}", "aduan")
            page = await visitor.get(target + query)
            if page.left is None:
                for form in page.forms:
                    if form.method == "post":
                        yield visitor, page, form


def sent_to(page: Page, form: Form) -> str:
    return form.action or page.url


async def send(browser: Visitor, page: Page, form: Form, **fields: str) -> httpx2.Response:
    headers = {"origin": browser.issuer, "accept": "text/html"}
    return await browser.client.post(sent_to(page, form), data={**form.fields, **fields}, headers=headers)


async def test_a_form_of_another_browser_is_refused_with_a_way_on(provider: Provider) -> None:
    stranger, seen = await provider.visitor(), set()
    await stranger.get("/login")
    async for _, page, form in forms(provider):
        answer = await send(stranger, page, form)
        seen.add(path_of(sent_to(page, form)))
        leads_on(answer, f"{page.path} → {form.action}")
        assert answer.status_code != 200 or "form_token" not in form.fields, f"{page.path} took the form of another browser"
    assert {"/login", "/approve", "/enrol", "/recover", "/security/password", "/logout"} <= seen


def almost(token: str) -> str:
    """Change one character well before the end: the last of a digest carries bits that nothing reads."""
    return f"{token[:-8]}{'B' if token[-8] == 'A' else 'A'}{token[-7:]}"


async def test_a_form_without_its_token_or_with_a_false_one_is_refused_with_a_way_on(provider: Provider) -> None:
    async for visitor, page, form in forms(provider):
        if "form_token" in form.fields:
            for token in ("", "false", almost(form.fields["form_token"])):
                answer = await send(visitor, page, form, form_token=token)
                leads_on(answer, f"{page.path} → {form.action}")
                asks = (
                    path_of(sent_to(page, form)) == "/logout"
                )  # any application may send a person there: the page asks, and nobody is out
                allowed = {303, 400, 403, 409, 410} | ({200} if asks else set())
                assert answer.status_code in allowed, f"{page.path} → {form.action}: {answer.status_code}"
            assert page.path in {"/login", "/approve"} or (await visitor.get("/me/data")).path == "/me/data", f"{page.path} → {form.action}"


async def test_without_cookies_every_form_says_so(provider: Provider) -> None:
    async for _, page, form in forms(provider):
        bare = await provider.visitor()
        answer = await send(bare, page, form)
        leads_on(answer, f"{page.path} → {form.action}")
        assert answer.status_code in {303, 400, 403, 409, 410} or path_of(sent_to(page, form)) == "/logout", (
            f"{page.path}: {answer.status_code}"
        )


async def test_a_form_sent_twice_and_the_page_before_it_opened_again_lead_on(provider: Provider) -> None:
    async for visitor, page, form in forms(provider):
        if path_of(sent_to(page, form)) in ENDING:
            continue
        for _ in range(2):
            leads_on(
                await send(visitor, page, form, **{name: form.buttons[name] for name in list(form.buttons)[:1]}),
                f"{page.path} → {form.action}",
            )
        leads_on(await visitor.client.get(page.url, headers={"accept": "text/html"}), f"back to {page.path}")


@pytest.mark.parametrize("path", STEPS)
async def test_an_interaction_that_is_expired_finished_foreign_or_nonsense_leads_on(provider: Provider, path: str) -> None:
    visitor, stranger = await provider.visitor(), await provider.visitor()
    await stranger.get("/login")
    asked = provider.ask()
    interaction = (await visitor.get(asked.url)).url.partition("interaction=")[2]
    target = f"{path}?interaction={interaction}"
    headers = {"accept": "text/html"}
    for browser, address in (
        (stranger, target),
        (visitor, f"{path}?interaction=x"),
        (visitor, f"{path}?interaction=%00%ff"),
        (visitor, f"{path}?interaction={interaction}&interaction=y"),
    ):
        leads_on(await browser.client.get(address, headers=headers), address)
    foreign = await stranger.client.get(target, headers=headers)
    assert foreign.status_code in {303, 403}
    await visitor.walk(asked.url, provider.person())
    leads_on(await visitor.client.get(target, headers=headers), "finished")
    provider.clock.move(hours=1)
    gone = await visitor.client.get(target, headers=headers)
    leads_on(gone, "expired")
    assert gone.status_code in {303, 409, 410}
    assert set(Step) >= {Step.LOGIN, Step.SECOND_FACTOR, Step.APPROVE}


def path_of(address: str) -> str:
    from urllib.parse import urlsplit

    parts: SplitResult = urlsplit(address)
    return parts.path

"""oidc-client-ts in Chromium: a page without a server signs in, renews in a frame and by refresh token, hears of signing out elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import sync_playwright

from tests.interop.conftest import Quiet
from tests.interop.support import NODE, register, siti, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.support.server import Server

PAGES = Path(__file__).parent / "spa"
LIBRARY = NODE / "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.js"


class Pages(Quiet):
    """Serve the page under every address but those of its scripts."""

    def translate_path(self, path: str) -> str:
        path = path.partition("?")[0]
        return str(LIBRARY if path == "/oidc-client-ts.js" else PAGES / ("app.js" if path == "/app.js" else "index.html"))


@pytest.fixture
def origin(listener: Callable[..., str]) -> str:
    """Where the page is served, over https."""
    return listener(Pages)


@pytest.fixture
def page(server: Callable[..., Server]) -> Iterator[Page]:
    """A tab of a browser of its own, begun when the stores are filled: while Playwright runs, this thread can run no other event loop."""
    del server
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found is not None, "Chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(ignore_https_errors=True, locale="id-ID")
        context.set_default_timeout(15_000)
        yield context.new_page()
        browser.close()


def registered(server: Server, client_id: str, origin: str, *grants: str, **more: Any) -> str:
    """Register the page as a public client of its origin."""
    return register(
        server, client_id, redirect_uri=f"{origin}/callback", signed_out=f"{origin}/out", token_endpoint_auth_method="none",
        grant_types=["authorization_code", *grants], origins=[origin], **more,
    )["client_id"]  # fmt: skip


def sign_in(page: Page, server: Server, origin: str, client: str, **more: str) -> dict[str, Any]:
    """Begin at the page, walk through the provider's, and give what the library then holds."""
    page.goto(f"{origin}/?{urlencode({'issuer': server.issuer, 'client': client, **more})}")
    page.evaluate("() => { app.signIn() }")
    page.wait_for_selector("#identifier")
    page.fill("#identifier", siti().email)
    page.fill("#password", siti().password)
    page.click("main form .button:not(.secondary):not(.danger):not(.quiet)")
    page.click("button[name=approve]")
    page.wait_for_url(f"{origin}/**")
    page.wait_for_selector("h1:has-text('Signed in')")
    held: dict[str, Any] = page.evaluate("() => app.user()")
    return held


def test_oidc_client_ts_signs_in_renews_in_a_frame_and_signs_out(
    server: Callable[..., Server], certificate: tuple[Path, Path], origin: str, page: Page
) -> None:
    running = server(tls=certificate)
    first = sign_in(page, running, origin, registered(running, "spa-frame", origin))
    assert (first["email"], first["refresh"]) == (siti().email, None)
    renewed = page.evaluate("() => app.renew()")
    assert (renewed["sub"], renewed["email"]) == (first["sub"], siti().email)
    assert renewed["access"] != first["access"]
    assert page.evaluate("() => app.status()")["sub"] == first["sub"]
    page.evaluate("() => app.revoke()")
    page.evaluate("() => { app.signOut() }")
    page.wait_for_url(f"{origin}/out**")
    assert page.evaluate("() => app.user()") is None
    assert page.evaluate("() => app.renew()") == {"error": "login_required"}


@pytest.mark.parametrize("dpop", ["", "yes"], ids=["bearer", "dpop"])
def test_oidc_client_ts_renews_by_refresh_token_by_itself(
    server: Callable[..., Server], certificate: tuple[Path, Path], origin: str, page: Page, dpop: str
) -> None:
    running = server(tls=certificate)
    client = registered(running, "spa-refresh", origin, "refresh_token", dpop_bound_access_tokens=bool(dpop))
    first = sign_in(page, running, origin, client, automatic="yes", dpop=dpop)
    assert first["refresh"]
    assert until(lambda: page.evaluate("() => app.user()")["access"] != first["access"]), page.evaluate("() => app.events")
    second = page.evaluate("() => app.user()")
    assert second["refresh"] != first["refresh"]
    assert second["sub"] == first["sub"]
    if dpop:
        assert page.evaluate("() => app.read()")["email"] == siti().email


def test_oidc_client_ts_hears_that_the_citizen_signed_out_in_another_tab(
    server: Callable[..., Server], certificate: tuple[Path, Path], origin: str, page: Page
) -> None:
    """Session Management 1.0: the frame says "changed", and the library asks with prompt=none."""
    running = server(tls=certificate)
    sign_in(page, running, origin, registered(running, "spa-monitor", origin), monitor="yes")
    page.wait_for_timeout(5000)
    assert page.evaluate("() => app.events.filter((event) => event !== 'loaded')") == []
    other = page.context.new_page()
    other.goto(f"{running.issuer}/logout")
    other.click("main form .button:not(.secondary):not(.quiet)")
    assert until(lambda: "signed out" in page.evaluate("() => app.events")), page.evaluate("() => app.events")

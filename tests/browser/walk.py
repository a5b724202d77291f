"""A visitor with a browser of his own, who looks at every page by axe, and where IDP_TEST_PICTURES is set by eye: it leaves a picture."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

import pyotp
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

    View = tuple[int, str]

_AXE = Axe().axe_script + ";0"
_LOOK = """rules => axe.run({...(rules && {runOnly: rules}), resultTypes: ["violations"]}).then(found =>
    found.violations.map(rule => [rule.id, rule.nodes.map(node => node.html.slice(0, 120))]))"""
_BY_COLOUR = ["color-contrast"]
"""All that changes for axe between a light page and the same one dark: where things stand and what they are called is one document."""
HEIGHT = 740
PICTURES = bool(os.environ.get("IDP_TEST_PICTURES"))


def _scheme(name: str) -> Literal["light", "dark"]:
    return "dark" if name == "dark" else "light"


@dataclass
class Walk:
    """One visitor. `foreign` collects requests to other origins that a page of the provider made by itself."""

    context: BrowserContext
    page: Page
    issuer: str
    folder: Path
    width: int
    language: str
    scripts: bool
    scheme: str
    foreign: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def start(
        cls, browser: Browser, issuer: str, folder: Path, *, width: int, language: str, scripts: bool, scheme: str, **more: Any
    ) -> Self:
        """Open a profile without history, cookies or cache."""
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            java_script_enabled=scripts,
            color_scheme=_scheme(scheme),
            reduced_motion="reduce",  # axe would find a colour halfway between two
            locale="id-ID",
            **more,
        )
        context.set_default_timeout(15_000)
        if language != "id":
            context.add_cookies([{"name": "gerbang_language", "value": language, "url": issuer}])
        page = context.new_page()
        visitor = cls(context, page, issuer, folder, width, language, scripts, scheme)
        page.on("request", visitor._requested)
        page.on("console", visitor._said)
        return visitor

    def close(self) -> None:
        """Throw the profile away."""
        self.context.close()

    def keep_last(self, name: str) -> None:
        """Keep a picture of where a failed walk stood."""
        self._picture(f"failed-{re.sub(r'[^a-z0-9]+', '-', name.lower())}")

    def _requested(self, request: Request) -> None:
        from_us = self.page.url.startswith(self.issuer)
        if from_us and not request.is_navigation_request() and not request.url.startswith((self.issuer, "data:")):
            self.foreign.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        """Keep what the browser complains about (the content policy, scripts); that an error page has an error's status is no complaint."""
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def go(self, path: str) -> Self:
        """Open a page of the provider, or any address."""
        self.page.goto(path if path.startswith("http") else self.issuer + path)
        return self

    def look(self, name: str, views: Sequence[View] = ()) -> Self:
        """Demand what every page must have, take its picture, and let axe look at it.

        `views`: widths and schemes in which the loaded page is looked at one after the other; without them, as it is.
        """
        page = self.page
        where = f"{name} at {page.url}"
        assert page.locator("html").get_attribute("lang") == self.language, where
        assert page.locator("h1").count() == 1, f"one h1: {where}"
        assert page.locator(".bar .who a[hreflang]").count() == 1, f"language switch: {where}"
        if self.scripts:
            page.evaluate(_AXE)
        for number, view in enumerate(views or [(self.width, self.scheme)]):
            self._turn(view)
            if PICTURES:
                self._picture(name)
            if self.scripts:
                self._fits(f"{where}, {self.width} {self.scheme}", _BY_COLOUR if number and self.scheme == "dark" else None)
        assert self.foreign == [], where
        assert self.problems == [], where
        return self

    def _turn(self, view: View) -> None:
        """Show the page that is loaded in another width, or in other colours."""
        if view != (self.width, self.scheme):
            self.width, self.scheme = view
            self.page.set_viewport_size({"width": self.width, "height": HEIGHT})
            self.page.emulate_media(color_scheme=_scheme(self.scheme))

    def _fits(self, where: str, rules: Sequence[str] | None) -> None:
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"scrolls sideways by {overflow}px: {where}"
        assert self.page.evaluate(_LOOK, rules) == [], where

    def _picture(self, name: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        scheme = "" if self.scheme == "light" else f"-{self.scheme}"
        self.page.screenshot(path=self.folder / f"{name}-{self.language}-{self.width}{scheme}.png", full_page=True)

    # --- what people do ---------------------------------------------------------------------------------------------------------

    def sign_in(self, person: Mapping[str, Any]) -> Self:
        """Fill the sign-in page and, where the person has one, the second code."""
        self.page.fill("#identifier", person["email"])
        self.page.fill("#password", person["password"])
        self.submit()
        if person.get("totp_secret"):
            self.page.wait_for_url("**/login/second-factor**")
            self.enter_code(pyotp.TOTP(person["totp_secret"]).now())
        return self

    def enter_code(self, code: str) -> Self:
        """Type six digits: with scripts they send themselves."""
        if not self.scripts:
            self.page.fill("#code", code)
            return self.submit()
        with self.page.expect_navigation():
            self.page.fill("#code", code)
        return self

    def submit(self) -> Self:
        """Press the page's one primary button."""
        self.page.click("main form .button:not(.secondary):not(.danger):not(.quiet)")
        return self

    @property
    def text(self) -> str:
        """What the page says."""
        return self.page.inner_text("body")

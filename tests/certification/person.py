"""A person with a real browser, for modules whose pages the suite's own browser cannot run (frames that talk to each other)."""

from __future__ import annotations

import contextlib
import shutil
import sys
from functools import partial
from operator import ne
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as TooLong
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Page

MILLISECONDS_A_PAGE = 20_000


class Person:
    """Opens what the suite wants opened, in one profile, and does what our pages ask."""

    def __init__(self, page: Page, values: Mapping[str, str]) -> None:
        self.page, self.values = page, values

    def visit(self, url: str) -> None:
        """Open an address; sign in and approve on the way back to the suite."""
        self.page.goto(url)
        while self.page.url.startswith(self.values["issuer"]):
            here = self.page.url
            self._answer()
            with contextlib.suppress(TooLong):
                self.page.wait_for_url(partial(ne, here), timeout=MILLISECONDS_A_PAGE)
            if self.page.url == here:
                return
        with contextlib.suppress(TooLong):
            self.page.wait_for_load_state("networkidle", timeout=MILLISECONDS_A_PAGE)

    def _answer(self) -> None:
        if self.page.locator("#password").count():
            self.page.fill("#identifier", self.values["identifier"])
            self.page.fill("#password", self.values["password"])
            self.page.click("main form button.button")
        elif self.page.locator("#approve").count():
            self.page.click("#approve")


@contextlib.contextmanager
def person(values: Mapping[str, str]) -> Iterator[Person]:
    """Start Chromium with an empty profile."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("Chromium is not installed. On Debian, as root:  apt-get install chromium")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser:
        context = browser.new_context(ignore_https_errors=True, locale="en-GB")
        yield Person(context.new_page(), values)

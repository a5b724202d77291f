"""A visitor of the provider's pages without a browser: follows redirects, keeps cookies, reads and submits forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urljoin, urlsplit

import pyotp

if TYPE_CHECKING:
    import httpx2

    from tests.support.running import Person

MANY = 20


@dataclass
class Form:
    """A form as a browser would fill it in before anybody types."""

    method: str = "get"
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)
    switches: dict[str, str] = field(default_factory=dict)
    """Checkboxes that are off: name (several may share one) to value."""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("method", "get").lower(), given.get("action", "")))
        elif self.forms and given.get("name"):
            self._control(tag, given)

    def _control(self, tag: str, given: dict[str, str]) -> None:
        form, name, value = self.forms[-1], given["name"], given.get("value", "")
        kind = given.get("type", "text" if tag == "input" else "submit")
        if tag == "button" or kind == "submit":
            form.buttons[name] = value
        elif kind in {"checkbox", "radio"} and "checked" not in given:
            form.switches[name] = value or "on"
        elif kind in {"checkbox", "radio"}:
            form.fields[name] = value or "on"
        elif tag == "input":
            form.fields[name] = value


@dataclass
class Page:
    """What a visitor sees: a page of ours, or (`left` set) the address of another origin that a redirect leads to."""

    response: httpx2.Response
    url: str
    left: str | None = None

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return self.response.text

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def answer(self) -> dict[str, str]:
        """The parameters that an application receives at its redirect URI."""
        assert self.left is not None, f"still at {self.url} ({self.status}):\n{self.text[:2000]}"
        parts = urlsplit(self.left)
        return dict(parse_qsl(parts.query or parts.fragment))

    @property
    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    def form(self, *names: str) -> Form:
        """Give the form that has these fields or buttons."""
        for form in self.forms:
            if all(name in form.fields or name in form.buttons or name in form.switches for name in names):
                return form
        raise AssertionError(f"no form with {names} at {self.url} ({self.status}):\n{self.text[:3000]}")


class Visitor:
    """One browser: cookies of its own. Redirects are followed within the provider and the origins in `also`."""

    def __init__(self, client: httpx2.AsyncClient, issuer: str, *also: str) -> None:
        self.client = client
        self.issuer = issuer
        self._inside = tuple(f"{origin}/" for origin in (issuer, *also))

    async def get(self, url: str) -> Page:
        """Open an address and follow redirects until a page, or out of the provider."""
        return await self._follow(await self.client.get(urljoin(self.issuer, url), headers=_ACCEPT))

    async def submit(self, page: Page, form: Form, press: str | None = None, **typed: str) -> Page:
        """Fill a form in and press a button (the form's only one, when it has no name)."""
        pressed = {press: form.buttons[press]} if press else {}
        return await self.post(urljoin(page.url, form.action) if form.action else page.url, {**form.fields, **typed, **pressed})

    async def post(self, url: str, fields: dict[str, str]) -> Page:
        """Send a form's fields."""
        return await self._follow(
            await self.client.post(urljoin(self.issuer, url), data=fields, headers={**_ACCEPT, "origin": self.issuer})
        )

    async def sign_in(self, page: Page, person: Person, **typed: str) -> Page:
        """Fill in the sign-in page, and the second factor's when it follows."""
        fields = {"identifier": person.email, "password": person.password, **typed}
        page = await self.submit(page, page.form("identifier", "password"), **fields)
        if page.left is None and page.path == "/login/second-factor":
            page = await self.submit(page, page.form("code"), code=person.code())
        return page

    async def allow(self, page: Page) -> Page:
        """Say yes on a consent or notice card."""
        return await self.submit(page, page.form("approve"), press="approve")

    async def deny(self, page: Page) -> Page:
        """Say no on a card."""
        return await self.submit(page, page.form("deny"), press="deny")

    async def walk(self, url: str, person: Person) -> Page:
        """Go the whole way from a request to the application's redirect URI, saying yes."""
        page = await self.get(url)
        if page.left is None and page.path == "/login":
            page = await self.sign_in(page, person)
        if page.left is None and page.path == "/approve":
            page = await self.allow(page)
        return page

    async def _follow(self, response: httpx2.Response) -> Page:
        for _ in range(MANY):
            target = response.headers.get("location")
            if response.status_code not in {301, 302, 303, 307, 308} or target is None:
                return Page(response, str(response.url))
            target = urljoin(str(response.url), target)
            if not target.startswith(self._inside):
                return Page(response, str(response.url), left=target)
            response = await self.client.get(target, headers=_ACCEPT)
        raise AssertionError("redirected in circles")


def current_code(secret: str) -> str:
    """Give the code an authenticator application shows now."""
    return pyotp.TOTP(secret).now()


_ACCEPT = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

"""The test application of contract tests: client "app" with every standard claim, registered beside the demonstration's applications."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from idp.clients.records import Added, Agency
from idp.spec import client_metadata
from tests.support.running import challenge_of

if TYPE_CHECKING:
    import httpx2

    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

CALLBACK = "https://app.test/cb"
AFTER_LOGOUT = "https://app.test/bye"
SECRET = "rahasia"
AUTH = ("app", SECRET)
VERIFIER = "a-verifier-of-forty-three-characters-or-more"
CHALLENGE = challenge_of(VERIFIER)
EVERYTHING = (
    "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "email",
    "gender", "birthdate", "zoneinfo", "locale", "phone_number", "address",
)  # fmt: skip


def declaration(purpose: str, *, required: tuple[str, ...] = (), optional: tuple[str, ...] = (), basis: str = "a") -> str:
    """Write a declaration of the agency "dinas"."""
    texts = ("agency_name", "title", "text", "legality", "details", "retention", "period", "recipients", "rights")
    lines = [f'id = "{purpose}"', 'agency = "dinas"', f'basis = "{basis}"', "max_validity_days = 365"]
    if basis != "a":
        lines.append('legal_ref = "Peraturan contoh"')
    lines += [f'[{text}]\nid = "Kalimat {text}."\nen = "Sentence {text}."' for text in texts]
    for kind, names in (("required", required), ("optional", optional)):
        lines += [f'[[{kind}]]\nclaim = "{name}"\n[{kind}.relevance]\nid = "Perlu."\nen = "Needed."' for name in names]
    return "\n".join(lines)


def parameters(**changes: object) -> dict[str, str]:
    """Put an authorization request together; None leaves a parameter out."""
    usual: dict[str, object] = {
        "client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid profile email", "state": "st-1",
        "nonce": "n-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    return {name: str(value) for name, value in (usual | changes).items() if value is not None}


def part(token: str, number: int) -> dict[str, Any]:
    """Read a part of a JWT without verifying it: 0 the header, 1 the claims."""
    text = token.split(".")[number]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


@dataclass
class Application:
    """The application "app" and one browser, Siti's."""

    provider: Provider
    visitor: Visitor
    http: httpx2.AsyncClient

    async def register(self, client_id: str, *, secret: str | None = SECRET, **document: Any) -> Added:
        """Register another application of the agency "dinas", of profile openid unless told otherwise; None leaves a field out."""
        whole = {
            "client_id": client_id, "client_name": "Aplikasi Uji", "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [AFTER_LOGOUT],
            "purposes": ["semua"], "profile": "openid",
        } | document  # fmt: skip
        given = {name: value for name, value in whole.items() if value is not None}
        metadata = client_metadata.read(given, implicit=self.provider.settings.certification)
        assert isinstance(metadata, client_metadata.ClientMetadata), metadata
        found = self.provider.services
        agency = Agency("dinas", {"id": "Dinas Uji", "en": "Test Office"})
        await found.clients.put_agency(agency, found.clock())
        added = await found.clients.add(metadata, agency, found.clock(), secret=secret)
        assert isinstance(added, Added), added
        return added

    async def ask(self, **changes: object) -> Page:
        """Send an authorization request; the page it ends at, or the answer."""
        return await self.visitor.get(f"/authorize?{urlencode(parameters(**changes))}")

    async def through(self, person: str = "siti", **changes: object) -> dict[str, str]:
        """Send a request, do whatever is asked, and give the answer's parameters."""
        page = await self.ask(**changes)
        for _ in range(4):
            if page.left is not None:
                return page.answer
            page = await (self.visitor.allow(page) if page.path == "/approve" else self.visitor.sign_in(page, self.provider.person(person)))
        return page.answer

    async def token(self, form: dict[str, object], auth: tuple[str, str] | None = AUTH, **more: Any) -> httpx2.Response:
        """Send a token request; None leaves a parameter out."""
        sent = {name: str(value) for name, value in form.items() if value is not None}
        return await self.http.post("/token", data=sent, **({"auth": auth} if auth else {}), **more)

    async def redeem(self, code: str, auth: tuple[str, str] | None = AUTH, **changes: object) -> httpx2.Response:
        """Redeem a code."""
        form: dict[str, object] = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return await self.token(form | changes, auth)

    async def refresh(self, token: str, auth: tuple[str, str] | None = AUTH, **changes: object) -> httpx2.Response:
        """Refresh."""
        return await self.token({"grant_type": "refresh_token", "refresh_token": token, **changes}, auth)

    async def tokens(self, **changes: object) -> dict[str, Any]:
        """Go the whole way; give the token answer."""
        response = await self.redeem((await self.through(**changes))["code"])
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def userinfo(self, access_token: str) -> httpx2.Response:
        """Read."""
        return await self.http.get("/userinfo", headers={"authorization": f"Bearer {access_token}"})

    async def introspect(self, token: str, auth: tuple[str, str] = AUTH) -> dict[str, Any]:
        """Introspect."""
        response = await self.http.post("/introspect", data={"token": token}, auth=auth)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found


async def application(provider: Provider) -> Application:
    """Declare the purpose "semua", register "app", open a browser."""
    await provider.services.consent.purposes.add(declaration("semua", required=EVERYTHING))
    made = Application(provider, await provider.visitor(), await provider.client())
    await made.register("app")
    return made

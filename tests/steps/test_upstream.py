"""A provider before ours, as a way to sign in: another Gerbang plays the national identity, and Authlib's client speaks to it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from idp.accounts import identifiers
from idp.events.records import EventKind
from idp.protocol.outbox import outbox
from idp.protocol.upstreams import BELIEVED
from keys.database import store_urls
from tests.support import running as support
from tests.support.application import Application, application, declaration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

NATION = "http://localhost:8800"
CALLBACK = "http://localhost:8000/upstream/inapas/callback"
FILE = """
[inapas]
name.id = "INApas"
name.en = "INApas"
issuer = "http://localhost:8800"
client_id = "gerbang"
client_secret_file = "inapas.secret"
scope = "openid nik"
nik_claim = "nik"
acr = { aal2 = "aal2" }
"""


@dataclasses.dataclass
class Two:
    """The national provider, ours, and a browser at each."""

    nation: Application
    ours: Provider
    there: Visitor
    here: Visitor
    answers: dict[str, Callable[[httpx2.Response], httpx2.Response]]

    async def go(self, page: Page, person: str = "siti") -> Page:
        """From our page with the button, through the nation's sign-in, to the address of ours that it answers at."""
        assert page.left is not None, page.text[:500]
        page = await self.there.walk(page.left, self.nation.provider.person(person))
        assert page.left is not None, page.text[:1500]
        return await self.here.get(page.left)

    async def sign_in(self, person: str = "siti") -> Page:
        return await self.go(await self.here.get("/upstream/inapas"), person)

    async def person(self, who: str = "siti") -> str:
        found = await self.ours.services.accounts.find(identifiers.parse(self.ours.person(who).email))
        return found[0].person

    async def link(self, here: str, there: str) -> Page:
        page = await self.here.get("/login")
        await self.here.sign_in(page, self.ours.person(here))
        page = await self.here.get("/security")
        form = next(form for form in page.forms if form.action == "/upstream/inapas/link")
        return await self.go(await self.here.submit(page, form), there)


class Network(httpx2.AsyncBaseTransport):
    """The way to the nation, whose answers a test may change."""

    def __init__(self, app: Any, answers: dict[str, Callable[[httpx2.Response], httpx2.Response]]) -> None:
        self._inner = httpx2.ASGITransport(app=app)
        self._answers = answers

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        change = self._answers.get(request.url.path)
        if change is None:
            return response
        await response.aread()
        return change(response)


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
async def two(filled_sqlite: Path, tmp_path: Path) -> AsyncIterator[Two]:
    folders = tmp_path / "nation", tmp_path / "ours"
    for folder in folders:
        shutil.copytree(filled_sqlite, folder)
    urls = [store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None) for folder in folders]
    (folders[1] / "upstream.toml").write_text(FILE, encoding="utf-8")
    (folders[1] / "inapas.secret").write_text("rahasia\n", encoding="utf-8")
    answers: dict[str, Callable[[httpx2.Response], httpx2.Response]] = {}
    async with support.running(support.settings_for(urls[0], folders[0], issuer=NATION)) as nation:
        network = Network(nation.app, answers)
        settings = support.settings_for(urls[1], folders[1], upstream_file=folders[1] / "upstream.toml")
        async with support.running(settings, network=network, clock=nation.clock) as ours:
            app = await application(nation)
            await nation.services.consent.purposes.add(declaration("identitas", required=("nik",), basis="c"))
            await app.register("gerbang", redirect_uris=[CALLBACK], purposes=["identitas"], scope="openid nik")
            yield Two(app, ours, app.visitor, await ours.visitor(), answers)


async def test_the_sign_in_page_offers_it_and_a_verified_nik_links_by_itself(two: Two) -> None:
    page = await two.here.get("/login")
    assert "Masuk dengan INApas" in page.text
    page = await two.sign_in()
    assert (page.path, page.status) == ("/", 200)
    assert "Siti" in page.text
    assert [link.upstream for link in await two.ours.services.accounts.links.of_person(await two.person())] == ["inapas"]
    events = await two.ours.services.events.of_person(await two.person())
    assert {EventKind.UPSTREAM_LINKED, EventKind.SIGNED_IN} <= {event.kind for event in events}


async def test_who_is_linked_is_told_over_every_channel(two: Two) -> None:
    await two.sign_in()
    await outbox(two.ours.services).run_once()
    folder = two.ours.settings.data_dir / "outbox"
    assert "INApas" in "".join(file.read_text("utf-8") for file in folder.rglob("*") if file.is_file())


async def test_it_leads_on_to_the_service_that_asked(two: Two) -> None:
    asked = two.ours.ask()
    page = await two.here.get(asked.url)
    assert page.path == "/login"
    interaction = dict(parse_qsl(urlsplit(page.url).query))["interaction"]
    page = await two.go(await two.here.get(f"/upstream/inapas?{urlencode({'interaction': interaction})}"))
    assert page.path == "/approve"
    page = await two.here.allow(page)
    assert page.answer["state"] == asked.state


async def test_without_a_verified_nik_here_nobody_is_linked_and_the_page_says_how(two: Two) -> None:
    unverified = next(one for one in support.EVERYBODY if not one.verified)
    two.answers["/userinfo"] = lambda response: httpx2.Response(200, json=json.loads(response.content) | {"nik": unverified.nik})
    page = await two.sign_in()
    assert page.status == 403
    assert "Belum terhubung" in page.text
    assert "/login" in page.text
    for who in (unverified.key, "siti"):
        assert await two.ours.services.accounts.links.of_person(await two.person(who)) == []


@pytest.mark.parametrize("nik", [None, 6471015507900001, "", "6471015507900001 OR 1=1", "64710155079000010", {"nik": "x"}])
async def test_a_nik_that_is_none_links_nobody(two: Two, nik: object) -> None:
    two.answers["/userinfo"] = lambda response: httpx2.Response(200, json=json.loads(response.content) | {"nik": nik})
    assert (await two.sign_in()).status == 403


async def test_userinfo_about_somebody_else_is_not_used(two: Two) -> None:
    two.answers["/userinfo"] = lambda response: httpx2.Response(200, json=json.loads(response.content) | {"sub": "another"})
    assert (await two.sign_in()).status == 403


async def test_a_citizen_who_is_signed_in_links_and_unlinks(two: Two) -> None:
    page = await two.link("budi", "siti")
    assert page.path == "/security"
    assert "dihubungkan" in page.text
    home = await two.here.get("/")
    await two.here.submit(home, home.forms[0])
    page = await two.sign_in("siti")
    assert page.path != "/"  # Budi has a second factor, and the nation said aal1
    two.ours.clock.move(seconds=31)
    page = await two.here.submit(page, page.form("code"), code=two.ours.person("budi").code())
    assert "Budi" in page.text
    page = await two.here.get("/security")
    form = next(form for form in page.forms if form.action == "/upstream/inapas/unlink")
    page = await two.here.submit(page, form)
    assert await two.ours.services.accounts.links.of_person(await two.person("budi")) == []


async def test_one_name_there_belongs_to_one_account_here(two: Two) -> None:
    await two.sign_in("siti")
    home = await two.here.get("/")
    await two.here.submit(home, home.forms[0])
    page = await two.link("budi", "siti")
    assert page.status == 409
    assert await two.ours.services.accounts.links.of_person(await two.person("budi")) == []


async def test_the_assurance_level_follows_what_the_provider_says_and_we_believe(two: Two) -> None:
    page = await two.link("budi", "budi")
    home = await two.here.get("/")
    await two.here.submit(home, home.forms[0])
    two.ours.clock.move(seconds=31)
    page = await two.sign_in("budi")  # with a second factor there: aal2
    assert page.path == "/"
    sessions = await two.ours.services.sessions.of_person(await two.person("budi"), two.ours.clock())
    assert any(session.acr == "aal2" and session.amr[0] == "fed" for session in sessions)


async def test_a_locked_account_stays_locked(two: Two) -> None:
    await two.sign_in("siti")
    from idp.protocol import ending

    await ending.lock(two.ours.services, await two.person())
    page = await (Two(two.nation, two.ours, two.there, await two.ours.visitor(), {})).sign_in("siti")
    assert page.status == 403
    assert "dikunci" in page.text


async def test_an_answer_counts_once_and_only_in_the_browser_that_was_sent(two: Two) -> None:
    sent = await two.here.get("/upstream/inapas")
    page = await two.there.walk(str(sent.left), two.nation.provider.person("siti"))
    other = await two.ours.visitor()
    await other.get("/login")
    assert (await other.get(str(page.left))).status == 410
    assert (await two.here.get(str(page.left))).path == "/"
    assert (await two.here.get(str(page.left))).status == 410


async def test_rfc_9207_an_answer_of_another_issuer_is_refused(two: Two) -> None:
    sent = await two.here.get("/upstream/inapas")
    page = await two.there.walk(str(sent.left), two.nation.provider.person("siti"))
    parts = urlsplit(str(page.left))
    mixed = dict(parse_qsl(parts.query)) | {"iss": "https://evil.test"}
    page = await two.here.get(f"{parts.path}?{urlencode(mixed)}")
    assert page.status == 502
    assert "tidak bisa dipakai" in page.text


async def test_the_persons_no_there_leads_back_to_the_ways_on(two: Two) -> None:
    sent = await two.here.get("/upstream/inapas")
    state = dict(parse_qsl(urlsplit(str(sent.left)).query))["state"]
    page = await two.here.get(f"/upstream/inapas/callback?{urlencode({'state': state, 'error': 'access_denied'})}")
    assert page.status == 502
    assert "/login" in page.text


def _claims(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[httpx2.Response], httpx2.Response]:
    """Change the ID Token's claims and leave the signature as it was."""
    import base64

    def forge(response: httpx2.Response) -> httpx2.Response:
        body = json.loads(response.content)
        header, payload, signature = body["id_token"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        payload = base64.urlsafe_b64encode(json.dumps(change(claims)).encode()).rstrip(b"=").decode()
        body["id_token"] = f"{header}.{payload}.{signature}"
        return httpx2.Response(200, json=body)

    return forge


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/token", _claims(lambda claims: claims | {"sub": "another"})),
        ("/token", lambda _: httpx2.Response(200, json={"access_token": "x", "token_type": "Bearer"})),
        ("/token", lambda _: httpx2.Response(200, json={"access_token": "x", "token_type": "Bearer", "id_token": "a.b.c"})),
        ("/token", lambda _: httpx2.Response(500, text="oops")),
        ("/token", lambda _: httpx2.Response(200, text="<html>")),
        ("/jwks.json", lambda _: httpx2.Response(200, json={"keys": []})),
        ("/jwks.json", lambda _: httpx2.Response(302, headers={"location": "http://evil.test/"})),
        ("/jwks.json", lambda _: httpx2.Response(200, content=b"[" * 300_000)),
    ],
)
async def test_what_the_provider_answers_wrongly_signs_nobody_in(
    two: Two, path: str, change: Callable[[httpx2.Response], httpx2.Response]
) -> None:
    two.answers[path] = change
    page = await two.sign_in()
    assert page.status == 502
    assert (await two.here.get("/me/data")).path == "/login"


async def test_metadata_of_another_issuer_is_not_believed(two: Two) -> None:
    two.answers["/.well-known/openid-configuration"] = lambda response: httpx2.Response(
        200, json=json.loads(response.content) | {"issuer": "https://evil.test"}
    )
    assert (await two.here.get("/upstream/inapas")).status == 502


async def test_keys_that_moved_are_found_without_a_restart_and_metadata_is_read_again_after_an_hour(two: Two) -> None:
    assert (await two.sign_in()).status == 200
    keys = (await two.there.get(f"{NATION}/jwks.json")).response.content
    two.answers["/jwks.json"] = lambda _: httpx2.Response(200, json={"keys": []})
    two.answers["/jwks-new.json"] = lambda _: httpx2.Response(200, content=keys)
    read = 0

    def moved(response: httpx2.Response) -> httpx2.Response:
        nonlocal read
        read += 1
        return httpx2.Response(200, json=json.loads(response.content) | {"jwks_uri": f"{NATION}/jwks-new.json"})

    two.answers["/.well-known/openid-configuration"] = moved
    two.here = await two.ours.visitor()
    assert ((await two.sign_in()).status, read) == (200, 1)
    client = two.ours.services.upstreams["inapas"]
    await client._discovered()
    assert read == 1
    client._read_at -= BELIEVED
    await client._discovered()
    assert read == 2


async def test_an_unknown_provider_is_no_page(two: Two) -> None:
    assert (await two.here.get("/upstream/tidak-ada")).status == 404


async def remembered_there(two: Two) -> None:
    """Siti is signed in at the nation, for a while already, and not here."""
    await two.sign_in()
    two.here = await two.ours.visitor()
    two.ours.clock.move(minutes=4)


async def asked_for(two: Two, **parameters: Any) -> str:
    """Begin with a service's request and press the button; the address that we lead to."""
    page = await two.here.get(two.ours.ask(**parameters).url)
    interaction = dict(parse_qsl(urlsplit(page.url).query))["interaction"]
    return str((await two.here.get(f"/upstream/inapas?{urlencode({'interaction': interaction})}")).left)


@pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"max_age": "60"}, {}])
async def test_who_left_the_provider_signed_in_is_not_taken_for_who_sits_here_now(two: Two, parameters: dict[str, str]) -> None:
    """OIDC Core §3.1.2.1: a service that asks for a new sign-in gets one; so do our own pages, which change how people sign in."""
    await remembered_there(two)
    target = await asked_for(two, **parameters) if parameters else str((await two.here.get("/upstream/inapas?next=/security")).left)
    sent = dict(parse_qsl(urlsplit(target).query))
    assert (sent["prompt"], sent["max_age"]) == ("login", "0")
    ignoring = await two.there.get(target.replace("prompt=login", "").replace("max_age=0", ""))  # as a provider that ignores it
    page = await two.here.get(str(ignoring.left))
    assert page.status == 502
    person = await two.person()
    assert len(await two.ours.services.sessions.of_person(person, two.ours.clock())) == 1  # the one of before


async def test_without_such_a_wish_the_sign_in_is_as_old_as_the_provider_says(two: Two) -> None:
    await remembered_there(two)
    target = await asked_for(two)
    assert "prompt" not in target
    page = await two.here.get(str((await two.there.get(target)).left))
    assert page.path == "/approve"
    newest = max(await two.ours.services.sessions.of_person(await two.person(), two.ours.clock()), key=lambda one: one.created_at)
    assert (newest.created_at - newest.auth_time).total_seconds() >= 4 * 60

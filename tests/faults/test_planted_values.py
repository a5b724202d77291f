"""Invariant 3, "No personal value at rest in clear": unique values in every field, a whole life of an account, then a search as bytes."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pyotp
import pytest
import sqlalchemy as sa

from idp.accounts.records import Source, Value
from idp.clients.records import Added, Agency
from idp.notices.streams.records import Stream
from idp.protocol import streams
from idp.schema import metadata as idp_metadata
from idp.spec import client_metadata
from idp.spec.backchannel import GRANT_TYPE as CIBA
from idp.spec.device import GRANT_TYPE as DEVICE
from idp.spec.security_event import SUBSCRIBABLE
from keys.database import Database, store_urls
from tests.support import running
from tests.support.application import EVERYTHING, declaration
from tests.support.crowd import Crowd, crowd, inside
from tests.support.searching import contents, disguises, found_in, report
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.conftest import Cluster
    from tests.support.visitor import Page, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NAME, BORN = "Qorvan Zulethmir", "1987-09-23"
NIK = "6471012309877391"
EMAIL, PHONE = "Qorvan.Zulethmir@surat-tanam.id", "+6281298765432"
ADDRESS = {"street_address": "Jalan Xylofonia 77", "locality": "Kota Plantara", "region": "Provinsi Vexim", "postal_code": "KP-7X6Q9"}
PASSWORD, NEW_PASSWORD = "kuda-Besi-Hitam-8812", "sapi-Kaca-Biru-4471"
WRONG_IDENTIFIER, WRONG_PASSWORD = "Salahketik.Mivra@surat-lain.id", "SandiKeliru-Wex77"
HINT = "petunjuk.Dravon@surat-hint.id"
ASKED_VALUE = "NilaiKlaimZorbix"
BINDING = "Loket tujuh Trolvane Ixumar"
COMPLAINT = "Saya tidak mengenal Grumvald Opsitek."
HEADER = "Bearer aliran-Rahasia-Zwantiq-6617"
GONE_NAME, GONE_BORN, GONE_EMAIL, GONE_PASSWORD = (
    "Abandona Merwynd",
    "1979-02-17",
    "abandona.merwynd@surat-batal.id",
    "sandi-Batal-Ungu-3391",
)
UNKNOWN = "tidakdikenal.Vultrey@surat-hilang.id"
COUNTER_NAME, COUNTER_EMAIL, COUNTER_PHONE = "Petronax Ilmaway", "petronax@surat-loket.id", "+6281387654329"
OTHERS = {
    claim: f"{claim.replace('_', '-')}-Tanamwex" for claim in EVERYTHING
    if claim not in {"name", "email", "birthdate", "phone_number", "address", "zoneinfo", "locale"}
}  # fmt: skip
PERSONAL = (
    "Qorvan", "Zulethmir", BORN, NIK, EMAIL, "surat-tanam.id", PHONE, "81298765432", *ADDRESS.values(), "Xylofonia", *OTHERS.values(),
    "Tanamwex",    WRONG_IDENTIFIER, "Mivra", HINT, "Dravon", ASKED_VALUE, "Abandona", "Merwynd", GONE_BORN, GONE_EMAIL, UNKNOWN, "Vultrey",
    "Petronax", "Ilmaway", COUNTER_EMAIL, "81387654329", BINDING, "Trolvane", COMPLAINT, "Grumvald",
)  # fmt: skip
SECRET = (PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, GONE_PASSWORD, HEADER)
CONTROL = "Kontrolvex Brimolka"
CALLBACK = "http://localhost:8001/callback"


@dataclass
class Life:
    """The journey of one account through a real server, and what it was handed that no file may keep."""

    applications: Crowd
    folder: Path
    secrets: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)

    @property
    def server(self) -> Server:
        return self.applications.server

    async def live(self) -> None:
        """Live it."""
        await self._mistype()
        await self._abandon_an_enrolment()
        owner = await self._enrol()
        await self._state_a_nik(owner)
        await self._fill_every_field()
        await self._be_read(owner)
        await self._ask_in_other_ways(owner)
        await self._look_around(owner)
        await self._change_what_keeps_it_safe(owner)
        await self._ask_to_get_back_in()
        await self._officers()
        await self._withdraw_and_leave(owner)

    async def _mistype(self) -> None:
        visitor = await self.applications.visitor()
        for identifier, password in ((WRONG_IDENTIFIER, WRONG_PASSWORD), (PASSWORD, EMAIL), (NIK, PHONE), (EMAIL, NAME)):
            page = await visitor.get("/login")
            page = await visitor.submit(page, page.form("identifier", "password"), identifier=identifier, password=password)
            assert page.status == 422

    async def _to_the_code(self, name: str, born: str, email: str, password: str) -> tuple[Visitor, Page]:
        visitor = await self.applications.visitor()
        page = await visitor.get("/enrol")
        page = await visitor.submit(page, page.form("identifier"), name=name, birthdate=born, identifier=email)
        return visitor, await visitor.submit(page, page.form("password"), password=password)

    async def _abandon_an_enrolment(self) -> None:
        visitor = await self.applications.visitor()
        page = await visitor.get("/enrol")
        await visitor.submit(page, page.form("identifier"), name=GONE_NAME, birthdate=GONE_BORN, identifier=EMAIL[:-1] + "@" + UNKNOWN)
        started = time.time()
        _, page = await self._to_the_code(GONE_NAME, GONE_BORN, GONE_EMAIL, GONE_PASSWORD)
        assert page.path == "/enrol/code"
        await self.applications.mailed_code(started)

    async def _enrol(self) -> Visitor:
        started = time.time()
        visitor, page = await self._to_the_code(NAME, BORN, EMAIL, PASSWORD)
        page = await visitor.submit(page, page.form("code"), code=await self.applications.mailed_code(started))
        assert page.path == "/", page.text
        self.secrets += list(dict(visitor.client.cookies).values())
        return visitor

    async def _state_a_nik(self, owner: Visitor) -> None:
        page = await owner.get("/security/nik")
        page = await owner.submit(page, page.form("nik"), nik="6471 0123 0987 739X")
        page = await owner.submit(page, page.form("nik"), nik=NIK)
        if page.status == 200 and page.path == "/security/nik":
            page = await owner.submit(page, page.form("nik"), nik=NIK)
        assert page.path == "/security", page.text

    async def _fill_every_field(self) -> None:
        """Put in what the pages do not ask for yet, and register an application that may read all of it."""
        async with inside(self.server) as found:
            person = await self._person(found)
            values = OTHERS | {"address": json.dumps(ADDRESS), "zoneinfo": "Asia/Makassar", "locale": "id-ID"}
            for claim, value in values.items():
                assert await found.accounts.put(person, Value(claim, value), found.clock()) is None
            phone = Value("phone_number", PHONE, Source.VERIFIED, "gerbang", "code")
            assert await found.accounts.put(person, phone, found.clock()) is None
            await found.consent.purposes.add(declaration("semua", required=EVERYTHING))
            agency = Agency("dinas", {"id": "Dinas Uji", "en": "Test Office"})
            await found.clients.put_agency(agency, found.clock())
            document = {
                "client_id": "app", "client_name": "Uji", "redirect_uris": [CALLBACK], "purposes": ["semua"], "profile": "openid",
                "grant_types": ["authorization_code", "refresh_token", DEVICE, CIBA], "backchannel_logout_uri": "https://away.invalid/bye",
            }  # fmt: skip
            metadata = client_metadata.read(document)
            assert isinstance(metadata, client_metadata.ClientMetadata)
            assert isinstance(await found.clients.add(metadata, agency, found.clock(), secret="rahasia"), Added)
            events = frozenset(signal.value for signal in SUBSCRIBABLE)
            await streams.put(found, Stream("app", events, "https://away.invalid/events", HEADER))

    async def _person(self, found: Any) -> str:
        from idp.accounts.records import Identifier, IdentifierKind

        (account,) = await found.accounts.find(Identifier(IdentifierKind.EMAIL, EMAIL.lower()))
        person: str = account.person
        return person

    async def _be_read(self, owner: Visitor) -> None:
        claims = {
            "userinfo": {"nickname": {"value": ASKED_VALUE}, "email": {"essential": True, "values": [EMAIL, ASKED_VALUE]}},
            "id_token": {"name": None},
        }
        asked = running.ask(
            self.server.issuer, self.applications.app, client_id="app", redirect_uri=CALLBACK,
            scope="openid profile email phone address offline_access",            login_hint=HINT, claims=json.dumps(claims),
        )  # fmt: skip
        stranger = await self.applications.visitor()
        await stranger.get(asked.url)  # an interaction that nobody finishes
        await stranger.post(
            "/authorize", {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid", "login_hint": HINT}
        )
        page = await owner.get(asked.url)
        assert page.path == "/approve", page.text
        page = await owner.allow(page)
        http, auth = self.applications.http, ("app", "rahasia")
        fields = {
            "grant_type": "authorization_code",
            "code": page.answer["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": asked.verifier,
        }
        tokens = (await http.post("/token", data=fields, auth=auth)).json()
        self.secrets += [page.answer["code"], *(tokens[name] for name in ("access_token", "refresh_token", "id_token"))]
        read = (await self.applications.userinfo(tokens["access_token"])).json()
        assert {NAME, EMAIL.lower(), BORN, *OTHERS.values()} <= {str(value) for value in read.values()}, read
        assert NAME in base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "==").decode()
        await http.post("/introspect", data={"token": tokens["access_token"]}, auth=auth)
        again = (
            await http.post("/token", data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, auth=auth)
        ).json()
        self.secrets += [again["access_token"], again["refresh_token"]]
        assert (await self.applications.userinfo(again["access_token"])).status_code == 200
        await http.post("/revoke", data={"token": again["refresh_token"]}, auth=auth)
        await http.get("/userinfo", params={"access_token": again["access_token"], "email": EMAIL})
        await http.get(f"/tidak-ada/{quote_plus(EMAIL)}?nik={NIK}")

    async def _ask_in_other_ways(self, owner: Visitor) -> None:
        """Push a request, send one by a form from elsewhere, ask on a device and at a counter; what is told later waits for who is away."""
        http, auth = self.applications.http, ("app", "rahasia")
        asked = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid profile"}
        personal = {"login_hint": HINT, "claims": json.dumps({"userinfo": {"email": {"value": EMAIL}}})}
        pushed = (await http.post("/par", data=asked | personal, auth=auth)).json()["request_uri"]
        again = await http.post("/authorize", data=asked | personal | {"id_token_hint": self.secrets[-3]})
        assert HINT not in again.headers.get("location", "")
        device = (await http.post("/device_authorization", data={"scope": "openid profile"} | personal, auth=auth)).json()
        page = await owner.get("/device")
        page = await owner.submit(page, page.form("user_code"), user_code=device["user_code"])
        page = await owner.submit(page, page.form("continue"), press="continue")
        assert page.path == "/device/done", page.text
        tokens = (await http.post("/token", data={"grant_type": DEVICE, "device_code": device["device_code"]}, auth=auth)).json()
        named = {"scope": "openid", "login_hint": EMAIL, "binding_message": BINDING}
        counter = (await http.post("/backchannel_authentication", data=named, auth=auth)).json()
        assert BINDING in (await owner.get("/me/requests")).text
        self.secrets += [pushed.rpartition(":")[2], device["device_code"], counter["auth_req_id"], tokens["access_token"]]

    async def _look_around(self, owner: Visitor) -> None:
        for path in (
            "/",
            "/me/history",
            f"/me/history?client={quote_plus(EMAIL)}",
            "/me/data",
            "/me/permissions",
            "/security",
            "/audit",
            "/purposes/semua",
        ):
            assert (await owner.get(path)).status < 500
        history = (await owner.get("/me/history")).text
        form = re.search(r'href="(/me/history/\d+/wrong)"', history)
        assert form is not None
        page = await owner.get(form[1])
        page = await owner.submit(page, page.forms[-1], text=COMPLAINT)
        assert (COMPLAINT in page.text, page.path.startswith("/me/complaints/")) == (True, True), page.text
        shown = (await owner.get("/me/data")).text
        assert NAME in shown

    async def _change_what_keeps_it_safe(self, owner: Visitor) -> None:
        page = await owner.get("/security/password")
        page = await owner.submit(page, page.form("new_password"), password=PASSWORD, new_password=NEW_PASSWORD)
        assert page.path == "/security", page.text
        page = await owner.get("/security/totp")
        seed = page.text.partition("secret=")[2][:32]
        assert len(seed) == 32, page.text
        page = await owner.submit(page, page.form("code"), code=pyotp.TOTP(seed).now())
        self.secrets += [seed, *dict(owner.client.cookies).values()]
        assert page.path == "/security", page.text

    async def _ask_to_get_back_in(self) -> None:
        visitor = await self.applications.visitor()
        for identifier in (UNKNOWN, EMAIL, PHONE):
            page = await visitor.get("/recover")
            await visitor.submit(page, page.form("identifier"), identifier=identifier)
        page = await visitor.get("/recover/factor")
        await visitor.submit(page, page.form("identifier", "password"), identifier=WRONG_IDENTIFIER, password=WRONG_PASSWORD)
        page = await visitor.get("/recover/slip")
        await visitor.submit(page, page.form("identifier"), identifier=EMAIL, code="1234567890", password=NEW_PASSWORD)

    async def _officers(self) -> None:
        officer = ("--officer", "Petugas Loket", "--reason", "Permintaan warga")
        shown = ("show", EMAIL, "--claim", "name", "--claim", "nik", *officer)
        verified = ("verify-nik", EMAIL, "--nik", NIK, "--how", "KTP-el", "--name", NAME, "--birthdate", BORN, *officer)
        added = ("add", "--name", COUNTER_NAME, "--email", COUNTER_EMAIL, "--phone", COUNTER_PHONE, *officer)
        for command in (shown, verified, added):
            await asyncio.to_thread(self.server.run, "accounts", *command)
        await asyncio.to_thread(self.server.run, "audit", "export", str(self.folder / "export"))

    async def _withdraw_and_leave(self, owner: Visitor) -> None:
        page = await owner.get("/me/permissions")
        grant = page.text.partition("/me/permissions/")[2].partition('"')[0].partition("/")[0]
        receipt = await owner.client.get(f"/me/permissions/{grant}/receipt")
        self.texts["receipt"] = receipt.content + base64.urlsafe_b64decode(receipt.text.split(".")[1] + "==")
        page = await owner.get(f"/me/permissions/{grant}")
        page = await owner.submit(page, next(form for form in page.forms if form.action != "/logout"))
        assert page.url.endswith(f"done={grant}")
        self.texts["metrics"] = (await self.applications.http.get("/metrics")).content
        page = await owner.get("/logout")
        page = await owner.submit(page, page.form("form_token"))
        assert page.path == "/logout"
        await asyncio.sleep(2.5)  # the outbox delivers each second


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A server that says all it can say, and the folder where its database rests."""
    folder = tmp_path / "server"
    folder.mkdir()
    more = {"IDP_LOG_LEVEL": "debug"}
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("filled_sqlite"), tmp_path / "stores")
        server = Server(store_urls(f"sqlite:///{tmp_path}/stores/idp.sqlite3", None, None), folder, 1, more)
        data = tmp_path / "stores"
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        server, data = Server(cluster.urls, folder, 2, more), cluster.folder
    try:
        yield server.start(), data
    finally:
        server.kill()


async def test_nothing_planted_is_found_at_rest(place: tuple[Server, Path], tmp_path: Path) -> None:
    server, data = place
    started = time.time() - 2
    async with crowd(server) as applications:
        life = Life(applications, tmp_path)
        await life.live()
    await plant_a_control(server)
    places = dict(contents([data, server.folder, tmp_path / "export"], started)) | life.texts | await rows(server)
    assert any(name.endswith("log.anchor") for name in places)
    assert any("outbox" in name for name in places)
    assert all(places[f"row idp.{table}"] for table in ("deferred_requests", "notices", "signal_streams", "pushed_requests"))
    found = report(places, [*PERSONAL, *SECRET, *life.secrets])
    assert found == {}
    seen = report(places, [CONTROL])
    assert {"row"} <= {name.partition(" ")[0] for name in seen}, seen  # the search finds what is there: as a row,
    assert any(str(data) in name for name in seen), seen  # and in the database's own files
    server.kill()
    erase(server)
    assert report(contents([data, server.folder], started), [*PERSONAL, *SECRET, *life.secrets]) == {}
    assert (server.folder / "erasure.journal").exists()


async def plant_a_control(server: Server) -> None:
    """Write a value in clear where the program must never write one."""
    database = Database.open(server.urls["idp"], pool_size=1)
    event = idp_metadata.tables["security_events"]
    async with database.statement() as connection:
        await connection.execute(sa.update(event).values(detail=CONTROL))
        if database.dialect == "postgresql":
            await connection.execute(sa.text("CHECKPOINT"))
    await database.close()


async def rows(server: Server) -> dict[str, bytes]:
    """Read every row of every store as the database gives it: what it compresses in its files stands in clear here."""
    found = {}
    for store, url in server.urls.items():
        database = Database.open(url, pool_size=1)
        async with database.read() as connection:
            tables = await connection.run_sync(partial(_tables, schema=database.schema))
            for table in tables:
                name = f'"{database.schema}"."{table}"' if database.schema else f'"{table}"'
                cells = [cell for row in await connection.execute(sa.text(f"SELECT * FROM {name}")) for cell in row]
                found[f"row {store}.{table}"] = b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)
        await database.close()
    return found


def _tables(connection: sa.Connection, schema: str | None) -> list[str]:
    return sa.inspect(connection).get_table_names(schema=schema)


def erase(server: Server) -> None:
    server.run("accounts", "erase", EMAIL, "--yes", "--officer", "Petugas Loket", "--reason", "Permintaan warga")


@pytest.mark.parametrize("value", [NAME, EMAIL, NIK, ADDRESS["street_address"], "Siti “Ñandú”"])
def test_the_search_sees_through_every_disguise(value: str) -> None:
    raw = value.encode()
    hidden = [
        raw, value.lower().encode(), value.encode("utf-16-le"), value.encode("utf-16-be"), raw.hex().encode(), raw.hex().upper().encode(),
        quote_plus(value).encode(), json.dumps({"a": value}).encode(), *(base64.b64encode(b"x" * n + raw + b"yz") for n in range(4)),
        *(base64.urlsafe_b64encode(b"\xff" * n + raw) for n in range(4)),
    ]  # fmt: skip
    assert [found_in(b"\0\x01before " + one + b" after", [value]) for one in hidden] == [[value]] * len(hidden)
    assert found_in(b"nothing of the kind", [value]) == []
    assert min(len(disguise) for disguise in disguises(value)) >= 8

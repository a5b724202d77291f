"""RFC 7591, OAuth 2.0 Dynamic Client Registration: who may register, what is believed, what is refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from consent.records import LegalBasis
from idp.clients.self_registered import AGENCY, SIGN_IN
from tests.support.registering import CALLBACK, OTHER_HOST, Places, post, registered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.application import Application

TRUSTED = ECKey.generate_key("P-256", {"kid": "t"}, private=True)
STRANGER = ECKey.generate_key("P-256", {"kid": "t"}, private=True)


@pytest.fixture
def issuers(tmp_path: Path) -> Path:
    file = tmp_path / "issuers.json"
    file.write_text(json.dumps({"https://bssn.test": {"keys": [TRUSTED.as_dict(private=False)]}}))
    return file


@pytest.fixture
def mode() -> str:
    return "open"


@pytest.fixture
def provider_settings(mode: str, issuers: Path) -> dict[str, Any]:
    return {"registration": mode, "software_statement_issuers_file": issuers, "limit_registration": "150/3600"}


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def provider_network(places: Places) -> httpx2.AsyncBaseTransport:
    return httpx2.MockTransport(places.answer)


def statement(key: ECKey | OctKey = TRUSTED, algorithm: str = "ES256", **claims: Any) -> str:
    whole = {"iss": "https://bssn.test", "client_name": "Dari Pernyataan", "software_id": "s-1"} | claims
    return jwt.encode({"alg": algorithm, "kid": "t"}, {name: value for name, value in whole.items() if value is not None}, key)


async def refused(app: Application, **document: Any) -> str:
    response = await post(app, **document)
    assert response.status_code == 400, (document, response.text)
    assert response.headers["cache-control"] == "no-store"
    assert set(response.json()) == {"error", "error_description"}
    return str(response.json()["error"])


async def test_the_answer_holds_credentials_and_all_that_was_registered(app: Application) -> None:
    """§3.2.1."""
    response = await post(app, contacts=["a@app.test"], **{"client_name#en": "Own application"}, colour="red")
    assert (response.status_code, response.headers["cache-control"], response.headers["pragma"]) == (201, "no-store", "no-cache")
    answer = response.json()
    assert (answer["client_secret_expires_at"], answer["client_name#en"], answer["contacts"]) == (0, "Own application", ["a@app.test"])
    assert abs(answer["client_id_issued_at"] - time.time()) < 60
    assert answer["registration_client_uri"].endswith(f"/register/{answer['client_id']}")
    assert len(answer["client_secret"]) >= 43
    assert len(answer["registration_access_token"]) >= 43
    # §2: defaults, and "MUST ignore any client metadata […] that it does not understand"
    assert (answer["grant_types"], answer["response_types"]) == (["authorization_code"], ["code"])
    assert answer["token_endpoint_auth_method"] == "client_secret_basic"
    assert not {"colour", "profile", "purposes", "default_purpose"} & set(answer)


async def test_a_public_client_gets_no_secret(app: Application) -> None:
    answer = await registered(app, token_endpoint_auth_method="none")
    assert not {"client_secret", "client_secret_expires_at"} & set(answer)


async def test_what_only_staff_may_say_cannot_be_assigned(app: Application) -> None:
    answer = await registered(
        app, client_id="aduan", client_secret="dipilih", profile="secure", purposes=["semua"], default_purpose="semua", agency="dinas",
        self_registered=False, sector="agency:dinas", origins=["https://jahat.test"], secret_digest="00",
        resources=["https://api.kota.test/"], exchange_audiences=["aduan"],
        scope="openid profile nik admin purpose:semua",
    )  # fmt: skip
    client = await app.provider.services.clients.get(answer["client_id"])
    assert client is not None
    assert answer["client_id"] != "aduan"
    assert answer["client_secret"] != "dipilih"
    assert (client.self_registered, client.agency.code, client.profile, client.sector) == (True, AGENCY.code, "openid", "host:app.test")
    assert (client.purposes, client.default_purpose, client.origins) == ((SIGN_IN,), SIGN_IN, ())
    assert (client.resources, client.exchange_audiences) == ((), ())
    assert client.scopes == ("openid", "profile", "nik")
    purpose = await app.provider.services.consent.purposes.get(SIGN_IN)
    assert purpose is not None
    assert (purpose.declared, purpose.basis) == (frozenset(), LegalBasis.CONSENT)


async def test_values_that_hold_not_are_refused_by_their_error(app: Application) -> None:
    """§3.2.2."""
    for uri in ("javascript:alert(1)", "http://app.test/cb", "https://app.test/cb#f", "data:text/html,x", "https://a@app.test/", "/cb"):
        assert await refused(app, redirect_uris=[uri]) == "invalid_redirect_uri"
    assert await refused(app, redirect_uris=None) == "invalid_redirect_uri"
    wrong: list[dict[str, Any]] = [
        {"grant_types": ["client_credentials"]}, {"grant_types": ["password"]}, {"grant_types": [{}]},
        {"grant_types": ["implicit"], "response_types": ["id_token"]}, {"token_endpoint_auth_method": "client_secret_jwt"},
        {"client_name": "Gerbang\u202egnabreG"}, {"client_name": "B\u0430likpapan"}, {"client_name": "x\u0000"}, {"client_name": "x" * 101},
        {"logo_uri": "javascript:x"}, {"policy_uri": "data:text/html,x"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks": {"keys": []}},
        {"jwks": "x"}, {"jwks": {"keys": [{}]}}, {"jwks": {"keys": [{"kty": "RSA", "n": 5}]}}, {"scope": 5}, {"contacts": "x"},
        {"request_uris": ["http://169.254.169.254/"]}, {"redirect_uris": [CALLBACK], "response_types": ["token"]},
    ]  # fmt: skip
    for change in wrong:
        assert await refused(app, **change) == "invalid_client_metadata", change


async def test_a_body_that_is_no_registration_is_refused(app: Application) -> None:
    for body, kind, status in (
        (b"{", "application/json", 400), (b"[]", "application/json", 400), (b"null", "application/json", 400),
        (b"\xff", "application/json", 400), (b'{"a":1,"a":2}', "application/json", 400), (b"[" * 50000, "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"x" * 70000, "application/json", 413), (b"{}", "text/plain", 415),
    ):  # fmt: skip
        response = await app.http.post("/register", content=body, headers={"content-type": kind})
        assert response.status_code == status, (body[:20], response.text)
        assert response.headers["content-type"] == "application/json"
    assert (await app.http.get("/register")).status_code == 405
    huge = await post(app, redirect_uris=[f"https://app.test/{number}" for number in range(51)])
    assert huge.json()["error"] == "invalid_redirect_uri"


async def test_several_hosts_need_a_sector_list_that_names_them_all(app: Application, places: Places) -> None:
    """OIDC Core §8.1, OIDC Registration §5."""
    both = [CALLBACK, OTHER_HOST]
    assert await refused(app, redirect_uris=both) == "invalid_client_metadata"
    good = places.put("https://sektor.test/daftar.json", both)
    answer = await registered(app, redirect_uris=both, sector_identifier_uri=good)
    client = await app.provider.services.clients.get(answer["client_id"])
    assert client is not None
    assert client.sector == "host:sektor.test"
    for number, body in enumerate(([CALLBACK], {"redirect_uris": both}, "x", [1])):
        bad = places.put(f"https://sektor.test/{number}.json", body)
        assert await refused(app, redirect_uris=both, sector_identifier_uri=bad) == "invalid_client_metadata"
    assert await refused(app, sector_identifier_uri="https://tidak.test/ada.json") == "invalid_client_metadata"


async def test_software_statements_are_believed_from_trusted_issuers_only(app: Application) -> None:
    """§2.3: its values "MUST take precedence"."""
    signed = statement()
    answer = await registered(app, software_statement=signed)
    assert (answer["client_name"], answer["software_id"], answer["software_statement"]) == ("Dari Pernyataan", "s-1", signed)
    client = await app.provider.services.clients.get((await registered(app, software_statement=statement(purposes=["semua"])))["client_id"])
    assert client is not None
    assert client.purposes == (SIGN_IN,)
    now = int(time.time())
    for bad in (
        statement(STRANGER), statement(exp=now - 1), statement(nbf=now + 600), statement(exp="x"), statement(iss=None), "x.y.z", 5,
        signed[:-6] + "AAAAAA", statement(OctKey.generate_key(256), "HS256"),
    ):  # fmt: skip
        assert await refused(app, software_statement=bad) == "invalid_software_statement", bad
    assert await refused(app, software_statement=statement(iss="https://lain.test")) == "unapproved_software_statement"


@pytest.mark.parametrize("mode", ["token"])
async def test_with_tokens_nobody_registers_without_one_or_more_often_than_it_allows(app: Application) -> None:
    """§3: "an initial access token […] issued out of band"."""
    tokens, now = app.provider.services.clients.tokens, app.provider.clock()
    for none in (await post(app), await post(app, token="tebakan"), await post(app, token="x" * 9000)):
        assert none.status_code == 401
        assert none.headers["www-authenticate"].startswith("Bearer")
    issued = await tokens.issue("Dinas", 2, now, now + dt.timedelta(days=1))
    assert (await post(app, token=issued.token, redirect_uris=["javascript:x"])).status_code == 400  # costs nothing
    racing = await asyncio.gather(*(post(app, token=issued.token) for _ in range(6)))
    assert sorted(answer.status_code for answer in racing) == [201, 201, 401, 401, 401, 401]
    expires, revoked = [await tokens.issue("Dinas", 9, now, now + dt.timedelta(days=1)) for _ in range(2)]
    assert await tokens.revoke(revoked.known.id)
    assert not await tokens.revoke(revoked.known.id)
    assert (await post(app, token=revoked.token)).status_code == 401
    app.provider.clock.move(days=2)
    assert (await post(app, token=expires.token)).status_code == 401
    app.provider.clock.move(days=60)
    assert await tokens.sweep(app.provider.clock()) == 2
    assert await tokens.list() == []


@pytest.mark.parametrize("mode", ["off"])
async def test_where_registration_is_off_it_is_not_there(app: Application) -> None:
    assert (await post(app)).status_code == 404
    assert "registration_endpoint" not in (await app.http.get("/.well-known/openid-configuration")).json()


async def test_discovery_names_the_endpoint_and_many_tries_are_slowed(app: Application) -> None:
    issuer = app.provider.settings.issuer
    for document in ("openid-configuration", "oauth-authorization-server"):
        assert (await app.http.get(f"/.well-known/{document}")).json()["registration_endpoint"] == f"{issuer}/register"
    for _ in range(150):
        last = await post(app, redirect_uris=None)
    assert last.status_code == 400
    slowed = await post(app)
    assert (slowed.status_code, slowed.json()["error"]) == (429, "temporarily_unavailable")
    assert int(slowed.headers["retry-after"]) > 0


async def test_addresses_of_our_own_network_are_not_fetched(app: Application, places: Places) -> None:
    """SSRF by sector_identifier_uri, logo_uri, jwks_uri."""
    app.provider.services.fetcher._resolver = _inside  # what a name server of the attacker would say
    for host in ("169.254.169.254", "127.0.0.1", "[::1]", "internal.test"):
        assert await refused(app, sector_identifier_uri=f"https://{host}/x") == "invalid_client_metadata"
    answer = await registered(app, logo_uri="https://internal.test/logo.png")
    assert (await app.http.get(f"/logos/{answer['client_id']}")).status_code == 404
    assert places.asked == []


async def _inside(host: str, port: int) -> list[str]:
    del port
    return [host.strip("[]") if host != "internal.test" else "10.0.0.7"]


async def test_nobody_turns_our_address_into_a_way_to_his(app: Application) -> None:
    """RFC 9700 §4.11.2: a request that must fail is told on our page, not by a redirect, until somebody looked at the application."""
    answer = await registered(app, redirect_uris=["https://jahat.test/cb"])
    request = {"client_id": answer["client_id"], "redirect_uri": "https://jahat.test/cb"}
    for wrong in ({"response_type": None}, {"scope": "purpose:semua"}, {"prompt": "none login"}):
        page = await app.ask(**request, **wrong)
        assert (page.left, page.status) == (None, 400)
        assert "Untuk pengembang layanan" in page.text
    assert (await app.ask(response_type=None)).answer["error"] == "invalid_request"  # staff registered this one


async def test_a_self_registered_application_signs_in_and_reads_nothing(app: Application) -> None:
    answer = await registered(app, policy_uri="https://app.test/privasi", **{"client_name#id": "Aplikasi Saya"})
    page = await app.ask(client_id=answer["client_id"], redirect_uri=CALLBACK, scope="openid profile email nik")
    assert "Belum diperiksa kota" in page.text
    assert "Aplikasi Saya" in page.text
    card = await app.visitor.sign_in(page, app.provider.person("siti"))
    assert (card.path, "Belum diperiksa kota" in card.text, "tidak membaca data pribadi" in card.text) == ("/approve", True, True)
    assert app.provider.person("siti").email not in card.text
    code = (await app.visitor.allow(card)).answer["code"]
    tokens = (await app.redeem(code, (answer["client_id"], answer["client_secret"]))).json()
    assert tokens["scope"] == "openid"
    assert set((await app.userinfo(tokens["access_token"])).json()) == {"sub"}


async def test_our_front_door_leads_nobody_to_addresses_that_only_the_application_vouches_for(app: Application) -> None:
    """RFC 7591 §5: what a malicious client writes of itself; whoever may register must not get a link on the city's first page."""
    await registered(app, client_name="Bank Kota", client_uri="https://app.test/umpan", initiate_login_uri="https://app.test/umpan2")
    signed_out = await app.visitor.get("/")
    assert "umpan" not in signed_out.text
    assert "Bank Kota" not in signed_out.text

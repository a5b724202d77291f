"""OpenID Connect Dynamic Client Registration 1.0: its metadata, and the logo that nobody fetches but us."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from joserfc.jwk import ECKey

from idp.clients.self_registered import CERTIFICATION
from idp.protocol import logos
from idp.register import purposes
from tests.support.registering import CALLBACK, Places, own, png, post, registered

if TYPE_CHECKING:
    from tests.support.application import Application

JWKS = {"keys": [ECKey.generate_key("P-256", {"kid": "1"}, private=True).as_dict(private=False)]}
LOGO = "https://app.test/logo.png"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def provider_network(places: Places) -> httpx2.AsyncBaseTransport:
    return httpx2.MockTransport(places.answer)


@pytest.fixture
def provider_settings() -> dict[str, Any]:
    return {"registration": "open"}


async def test_every_field_of_section_2_is_answered_as_it_was_registered(app: Application) -> None:
    whole: dict[str, Any] = {
        "application_type": "web", "contacts": ["a@app.test"], "logo_uri": LOGO, "client_uri": "https://app.test/",
        "policy_uri": "https://app.test/privasi", "tos_uri": "https://app.test/syarat", "jwks": JWKS, "subject_type": "pairwise",
        "id_token_signed_response_alg": "ES256", "id_token_encrypted_response_alg": "ECDH-ES", "userinfo_signed_response_alg": "PS256",
        "userinfo_encrypted_response_alg": "RSA-OAEP-256", "userinfo_encrypted_response_enc": "A256GCM",
        "request_object_signing_alg": "ES256", "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256",
        "default_max_age": 60, "require_auth_time": True, "default_acr_values": ["aal2"], "initiate_login_uri": "https://app.test/masuk",
        "request_uris": ["https://app.test/r.jwt"],
    }  # fmt: skip
    answer = await registered(app, **whole)
    assert {name: answer[name] for name in whole} == whole
    assert answer["id_token_encrypted_response_enc"] == "A256GCM"  # RFC 7591 §2: the server may replace values, and says so
    assert "client_secret" not in answer


async def test_under_certification_only_an_application_reads_at_once(app: Application) -> None:
    """Design §7. A registration that a suite left behind reads nothing once the switch is off."""
    services = app.provider.services
    suite = dataclasses.replace(services, settings=services.settings.model_copy(update={"certification": True}))
    assert await purposes.ready(suite) == CERTIFICATION
    declared = await services.consent.purposes.get(CERTIFICATION)
    assert declared is not None
    assert {"name", "email", "address"} <= declared.required_names
    assert "nik" not in declared.declared
    left_over: dict[str, Any] = {"purposes": [CERTIFICATION], "default_purpose": CERTIFICATION}
    await app.register("sisa", **left_over)
    assert (await app.through(client_id="sisa"))["error"] == "invalid_scope"


async def test_a_logo_comes_from_our_address_and_can_only_be_looked_at(app: Application, places: Places) -> None:
    mine = await registered(app, logo_uri=places.put(LOGO, png(), "image/png"))
    response = await app.http.get(f"/logos/{mine['client_id']}")
    assert (response.status_code, response.content, response.headers["content-type"]) == (200, png(), "image/png")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    page = await app.ask(client_id=mine["client_id"], redirect_uri=CALLBACK)
    assert f'src="/logos/{mine["client_id"]}"' in page.text
    assert "img-src 'self' data:" in page.response.headers["content-security-policy"]
    assert LOGO not in page.text
    moved = {"client_id": mine["client_id"], "client_name": "x", "redirect_uris": [CALLBACK], "logo_uri": "https://app.test/lain.png"}
    path = mine["registration_client_uri"].removeprefix(app.provider.settings.issuer)
    assert (await app.http.put(path, headers=own(mine), json=moved)).status_code == 200
    assert (await app.http.get(f"/logos/{mine['client_id']}")).status_code == 404
    assert places.asked == [LOGO, "https://app.test/lain.png"]


async def test_what_is_no_small_picture_is_not_shown(app: Application, places: Places) -> None:
    for body, kind in (
        (SVG, "image/png"), (SVG, "image/svg+xml"), (png(padding=70_000), "image/png"), (png(2000, 2), "image/png"),
        (b"GIF89a", "image/gif"), (b"<html>", "text/html"),
    ):  # fmt: skip
        app.provider.clock.move(minutes=2)  # beyond what the fetcher remembers
        mine = await registered(app, logo_uri=places.put(LOGO, body, kind))
        assert (await app.http.get(f"/logos/{mine['client_id']}")).status_code == 404
        assert "/logos/" not in (await app.ask(client_id=mine["client_id"], redirect_uri=CALLBACK)).text


async def test_logos_of_staffs_applications_are_fetched_by_time_and_again_after_a_day(app: Application, places: Places) -> None:
    await app.register("berlogo", logo_uri=places.put(LOGO, png(), "image/png"))
    found = app.provider.services
    assert await logos.refresh(found) == 1
    assert await logos.refresh(found) == 0
    assert (await app.http.get("/logos/berlogo")).status_code == 200
    app.provider.clock.move(days=2)
    assert await logos.refresh(found) == 1
    await found.clients.remove("berlogo")
    assert (await app.http.get("/logos/berlogo")).status_code == 404
    assert await found.clients.logos.get("berlogo") is None


async def test_a_native_application_has_a_sector_of_its_own(app: Application) -> None:
    """OIDC Core §8.1: pairwise subjects; two applications of one device know the citizen under two names."""
    native: dict[str, Any] = {"application_type": "native", "redirect_uris": ["id.kota.satu:/cb"], "token_endpoint_auth_method": "none"}
    for registration in (await registered(app, **native), await registered(app, **native)):
        client = await app.provider.services.clients.get(registration["client_id"])
        assert client is not None
        assert client.sector == f"client:{client.id}"
    assert (await post(app, **native, subject_type="public")).status_code == 400

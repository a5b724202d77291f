"""RFC 8707: resource indicators. A token is for the resources that were asked for, and for no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from tests.support.application import CALLBACK, SECRET, VERIFIER, Application, parameters, part

if TYPE_CHECKING:
    import httpx2

DATA, MAPS = "https://data.test/api", "https://peta.test/"
AUTH = ("asks", SECRET)


@pytest.fixture
async def asks(app: Application) -> Application:
    await app.register("asks", resources=[DATA, MAPS], grant_types=["authorization_code", "refresh_token", "client_credentials"])
    return app


async def code(app: Application, *resources: str) -> str:
    query = urlencode({**parameters(client_id="asks"), "resource": resources}, doseq=True)
    page = await app.visitor.get(f"/authorize?{query}")
    page = await app.visitor.sign_in(page, app.provider.person()) if page.path == "/login" else page
    return (await app.visitor.allow(page) if page.path == "/approve" else page).answer["code"]


async def redeem(app: Application, code_: str, *resources: str) -> httpx2.Response:
    form = {"grant_type": "authorization_code", "code": code_, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "resource": resources}
    return await app.http.post("/token", data=form, auth=AUTH)


def aud(response: httpx2.Response) -> Any:
    assert response.status_code == 200, response.text
    return part(response.json()["access_token"], 1)["aud"]


async def test_2_1_the_token_is_for_what_was_asked(asks: Application) -> None:
    assert aud(await redeem(asks, await code(asks))) == asks.provider.issuer
    assert aud(await redeem(asks, await code(asks, DATA))) == DATA
    assert aud(await redeem(asks, await code(asks, DATA, MAPS))) == [DATA, MAPS]


async def test_2_2_the_token_request_narrows_and_never_widens(asks: Application) -> None:
    assert aud(await redeem(asks, await code(asks, DATA, MAPS), MAPS)) == MAPS
    for wrong in (asks.provider.issuer, "https://other.test/", "no uri"):
        response = await redeem(asks, await code(asks, DATA), wrong)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_target")


async def test_2_2_a_refresh_gives_tokens_for_another_part_of_what_was_granted(asks: Application) -> None:
    refresh = (await redeem(asks, await code(asks, DATA, MAPS), DATA)).json()["refresh_token"]
    second = await asks.refresh(refresh, AUTH, resource=MAPS)
    assert aud(second) == MAPS
    assert aud(await asks.refresh(second.json()["refresh_token"], AUTH)) == [DATA, MAPS]


@pytest.mark.parametrize("resource", ["https://other.test/", "relative", f"{DATA}#fragment", f"{DATA} {MAPS} ", "urn:", "https://[::1"])
async def test_2_what_is_unknown_or_no_absolute_uri_is_an_invalid_target(asks: Application, resource: str) -> None:
    assert (await asks.ask(client_id="asks", resource=resource)).answer["error"] == "invalid_target"


async def test_a_client_may_ask_only_for_what_it_registered(asks: Application) -> None:
    assert (await asks.ask(client_id="app", resource=DATA)).answer["error"] == "invalid_target"
    assert (await asks.ask(client_id="app", resource=asks.provider.issuer)).path == "/login"


async def test_a_token_for_another_resource_reads_nothing_here_and_is_told_about(asks: Application) -> None:
    token = (await redeem(asks, await code(asks, DATA))).json()["access_token"]
    assert (await asks.userinfo(token)).status_code == 401
    told = await asks.introspect(token)
    assert (told["active"], told["aud"]) == (True, DATA)
    both = (await redeem(asks, await code(asks, DATA, asks.provider.issuer))).json()["access_token"]
    assert (await asks.userinfo(both)).status_code == 200
    assert (await asks.http.post("/revoke", data={"token": token}, auth=AUTH)).status_code == 200
    assert await asks.introspect(token) == {"active": False}


async def test_an_application_that_acts_for_itself(asks: Application) -> None:
    async def own(*resources: str) -> httpx2.Response:
        return await asks.http.post("/token", data={"grant_type": "client_credentials", "resource": resources}, auth=AUTH)

    assert aud(await own()) == asks.provider.issuer
    assert aud(await own(DATA)) == DATA
    assert aud(await own(DATA, MAPS)) == [DATA, MAPS]
    assert (await own("https://other.test/")).json()["error"] == "invalid_target"


async def test_several_travel_through_par(asks: Application) -> None:
    form = {**parameters(client_id="asks"), "resource": [DATA, MAPS]}
    uri = (await asks.http.post("/par", data=form, auth=AUTH)).json()["request_uri"]
    page = await asks.visitor.get(f"/authorize?{urlencode({'client_id': 'asks', 'request_uri': uri})}")
    page = await asks.visitor.allow(await asks.visitor.sign_in(page, asks.provider.person()))
    assert aud(await redeem(asks, page.answer["code"])) == [DATA, MAPS]

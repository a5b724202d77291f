"""RFC 9470: step-up. A token that stands on too weak a sign-in is answered with what would suffice, and asking for that yields it."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.support.application import SECRET, Application, parameters, part

AUTH = ("strong", SECRET)


async def test_3_userinfo_demands_what_the_application_registered(app: Application) -> None:
    await app.register("strong")
    weak = (await app.redeem((await app.through(client_id="strong"))["code"], AUTH)).json()["access_token"]
    assert (await app.userinfo(weak)).status_code == 200
    await app.provider.services.clients.remove("strong")
    await app.register("strong", default_acr_values=["aal2"])
    response = await app.userinfo(weak)
    assert (response.status_code, response.json()["error"]) == (401, "insufficient_user_authentication")
    challenge = response.headers["www-authenticate"]
    assert re.search(r'error="insufficient_user_authentication"', challenge)
    assert re.search(r'acr_values="aal2"', challenge)


@pytest.mark.parametrize("how", [{"acr_values": "aal2"}, {"claims": '{"id_token":{"acr":{"essential":true,"values":["aal2"]}}}'}])
async def test_5_asking_for_it_asks_for_the_second_factor(app: Application, how: dict[str, str]) -> None:
    await app.through()
    page = await app.ask(**how)
    assert page.path in {"/login/second-factor", "/login/code-card", "/login"}
    page = await app.visitor.sign_in(page, app.provider.person("budi")) if page.path == "/login" else page
    assert page.status == 200


async def test_default_acr_values_and_max_age_are_those_of_every_request(app: Application) -> None:
    await app.register("strong", default_max_age=60, require_auth_time=True)
    first = await app.through(client_id="strong")
    claims = part((await app.redeem(first["code"], AUTH)).json()["id_token"], 1)
    app.provider.clock.move(seconds=50)
    assert "code" in await app.through(client_id="strong", prompt="none")
    app.provider.clock.move(seconds=20)
    assert (await app.ask(client_id="strong", prompt="none")).answer["error"] == "login_required"
    later = await app.through(client_id="strong", max_age=3600)
    assert part((await app.redeem(later["code"], AUTH)).json()["id_token"], 1)["auth_time"] == claims["auth_time"]
    second = await app.through(client_id="strong")
    assert part((await app.redeem(second["code"], AUTH)).json()["id_token"], 1)["auth_time"] > claims["auth_time"]


async def test_default_acr_values_lead_to_the_second_factor_and_the_request_may_ask_otherwise(app: Application) -> None:
    await app.through()
    await app.register("strong", default_acr_values=["aal2"])
    page = await app.visitor.get(f"/authorize?{urlencode(parameters(client_id='strong', prompt='none'))}")
    assert page.answer["error"] == "interaction_required"
    other = await app.ask(client_id="strong", prompt="none", acr_values="aal1")
    assert other.answer["error"] == "consent_required"

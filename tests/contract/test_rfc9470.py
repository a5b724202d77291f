"""RFC 9470: step-up. A token that stands on too weak a sign-in is answered with what would suffice, and asking for that yields it."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.support.application import SECRET, Application, parameters, part
from tests.support.authenticator import Device, options_of

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


@pytest.mark.parametrize("how", [{"acr_values": "aal3"}, {"claims": '{"id_token":{"acr":{"essential":true,"values":["aal3"]}}}'}])
async def test_5_aal3_asks_for_a_passkey_of_one_device_and_without_one_is_unmet(app: Application, how: dict[str, str]) -> None:
    """RFC 9470 §5: where the demand cannot be met, the client gets unmet_authentication_requirements."""
    await app.through()
    page = await app.ask(**how)
    assert (page.left, page.path) == (None, "/login/passkey")
    page = await app.visitor.submit(page, page.form("leave"), press="leave")
    assert page.answer["error"] == "unmet_authentication_requirements"


async def test_6_aal3_stands_in_every_token_and_answers_the_challenge(app: Application) -> None:
    """RFC 9470 §6: introspection and JWT access tokens tell `acr` and `auth_time`; the same sign-in satisfies what asks for less."""
    await app.register("strong", default_acr_values=["aal3"])
    weak = (await app.redeem((await app.through(client_id="strong", acr_values="aal1"))["code"], AUTH)).json()["access_token"]
    refused = await app.userinfo(weak)
    assert re.search(r'acr_values="aal3"', refused.headers["www-authenticate"])

    device = Device(app.provider.settings.origin)
    page = await app.visitor.get("/security/passkey")
    await app.visitor.submit(page, page.form("answer"), answer=device.create(options_of(page)))
    page = await app.ask(client_id="strong")
    assert page.path == "/login/passkey"
    page = await app.visitor.submit(page, page.form("answer"), answer=device.get(options_of(page)))
    page = page if page.left else await app.visitor.allow(page)
    told = (await app.redeem(page.answer["code"], AUTH)).json()
    seen = await app.http.post("/introspect", data={"token": told["access_token"]}, auth=AUTH)
    for claims in (part(told["id_token"], 1), part(told["access_token"], 1), seen.json()):
        assert claims["acr"] == "aal3"
        assert claims["amr"] == ["pwd", "hwk", "pop", "user", "mfa"]
    assert (await app.userinfo(told["access_token"])).status_code == 200
    assert "code" in (await app.ask(client_id="strong", acr_values="aal2", prompt="none")).answer

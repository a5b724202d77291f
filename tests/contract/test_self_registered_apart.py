"""What an application may not get by registering itself: other applications' names for people, and our address as a way to its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from idp.clients.self_registered import SIGN_IN
from idp.spec.device import GRANT_TYPE as DEVICE
from tests.support.application import AFTER_LOGOUT, VERIFIER
from tests.support.registering import CALLBACK, registered

if TYPE_CHECKING:
    from idp.clients.records import Client
    from tests.support.application import Application
    from tests.support.visitor import Visitor

PUBLIC: dict[str, Any] = {"token_endpoint_auth_method": "none"}


@pytest.fixture
def provider_settings() -> dict[str, Any]:
    return {"registration": "open"}


async def client_of(app: Application, **document: Any) -> Client:
    registration = await registered(app, **document)
    client = await app.provider.services.clients.get(registration["client_id"])
    assert client is not None
    return client


async def test_oidc_core_8_1_a_host_that_answers_do_not_reach_names_no_sector(app: Application) -> None:
    """Answers of a device are fetched: who names another's host at registration would learn how that other knows people."""
    honest = await client_of(app)
    assert honest.sector == "host:app.test"
    for document in (
        {"grant_types": ["authorization_code", DEVICE]},
        {"grant_types": [DEVICE], "redirect_uris": [CALLBACK], "response_types": []},
        {"redirect_uris": ["http://localhost:9000/cb"]},
        {"redirect_uris": ["http://127.0.0.1/cb"]},
    ):
        client = await client_of(app, **document)
        assert client.sector == f"client:{client.id}", document


async def test_rfc9700_4_11_2_an_error_that_nobody_took_part_in_leads_to_no_application_that_registered_itself(app: Application) -> None:
    client = await client_of(app, **PUBLIC)
    page = await app.ask(client_id=client.id, prompt="none", scope="openid")
    assert (page.left, page.status) == (None, 400)
    assert "login_required" in page.text  # for the developer
    answered = await app.through(client_id=client.id, scope="openid")
    assert "code" in answered
    assert "code" in (await app.ask(client_id=client.id, prompt="none", scope="openid")).answer


async def test_rfc9700_4_11_2_signing_out_leads_to_no_application_that_registered_itself_before_somebody_says_so(app: Application) -> None:
    client = await client_of(app, **PUBLIC, post_logout_redirect_uris=[AFTER_LOGOUT])
    code = (await app.through(client_id=client.id, scope="openid"))["code"]
    token = (await app.redeem(code, None, client_id=client.id, code_verifier=VERIFIER)).json()["id_token"]
    address = f"/logout?{urlencode({'id_token_hint': token, 'post_logout_redirect_uri': AFTER_LOGOUT, 'state': 's'})}"

    async def leads(visitor: Visitor) -> str | None:
        return (await visitor.get(address)).left

    assert await leads(app.visitor) == f"{AFTER_LOGOUT}?state=s"  # whose sign-in it is
    stranger = await app.provider.visitor()
    assert await leads(stranger) is None
    assert f'href="{AFTER_LOGOUT}?state=s"' in (await stranger.get(address)).text  # a person may still choose to go there
    assert client.default_purpose == SIGN_IN


async def test_rfc7662_4_of_others_tokens_it_is_told_nothing(app: Application) -> None:
    """Whoever finds a token and registers himself would learn the citizen's name in his own sector, and for what purpose it was given."""
    registration = await registered(app)
    mine = (registration["client_id"], registration["client_secret"])
    assert await app.introspect((await app.tokens())["access_token"], mine) == {"active": False}
    code = (await app.through(client_id=mine[0], scope="openid"))["code"]
    assert (await app.introspect((await app.redeem(code, mine)).json()["access_token"], mine))["active"]

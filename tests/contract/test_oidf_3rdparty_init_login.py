"""The OpenID Foundation's plan for logins that a third party begins: a test per module, named after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.registering import own, post, registered

if TYPE_CHECKING:
    from tests.support.application import Application

LOGIN = "https://app.test/masuk"


@pytest.fixture
def provider_settings() -> dict[str, Any]:
    return {"certification": True}


async def test_oidcc_3rd_party_init_login(app: Application) -> None:
    mine = await registered(app, initiate_login_uri=LOGIN)
    assert mine["initiate_login_uri"] == LOGIN
    path = mine["registration_client_uri"].removeprefix(app.provider.settings.issuer)
    assert (await app.http.get(path, headers=own(mine))).json()["initiate_login_uri"] == LOGIN


async def test_oidcc_3rd_party_init_login_nohttps(app: Application) -> None:
    response = await post(app, initiate_login_uri=LOGIN.replace("https", "http"))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")

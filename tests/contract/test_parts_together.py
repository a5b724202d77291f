"""Where one specification's rule could be walked around by another's endpoint: RFC 9700's attacker tries the parts against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.spec.device import GRANT_TYPE

if TYPE_CHECKING:
    from tests.support.application import Application
    from tests.support.visitor import Page, Visitor

KIOSK = ("kiosk", "rahasia")


async def begin(app: Application, **form: str) -> dict[str, Any]:
    response = await app.http.post("/device_authorization", data={"scope": "openid profile", **form}, auth=KIOSK)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def enter(visitor: Visitor, user_code: str) -> Page:
    page = await visitor.get("/device")
    return await visitor.submit(page, page.form("user_code"), user_code=user_code)


async def error_of(app: Application, device_code: str) -> str:
    response = await app.token({"grant_type": GRANT_TYPE, "device_code": device_code}, KIOSK)
    return str(response.json().get("error"))


@pytest.fixture
async def kiosk(app: Application) -> Application:
    await app.register("kiosk", grant_types=[GRANT_TYPE, "refresh_token"], redirect_uris=None)
    return app


async def test_rfc8628_5_1_the_confirmation_is_no_second_place_to_guess_codes_at(kiosk: Application) -> None:
    """Tries of codes are counted where they are entered; what follows knows the request that was shown, and takes no code."""
    mine, theirs = await begin(kiosk), await begin(kiosk)
    form = (await enter(kiosk.visitor, mine["user_code"])).form("deny")
    digits = theirs["user_code"].replace("-", "")
    for sent in ({"user_code": digits}, {"shown": digits}, {"shown": ""}, {"shown": form.fields["form_token"]}):
        await kiosk.visitor.post("/device/answer", form.fields | sent | {"deny": "yes"})
        assert await error_of(kiosk, theirs["device_code"]) in {"authorization_pending", "slow_down"}


async def test_what_one_browser_was_shown_is_not_answered_in_another(kiosk: Application) -> None:
    begun = await begin(kiosk)
    shown = (await enter(kiosk.visitor, begun["user_code"])).form("deny").fields["shown"]
    other = await kiosk.provider.visitor()
    form = (await enter(other, (await begin(kiosk))["user_code"])).form("deny")
    assert (await other.post("/device/answer", form.fields | {"shown": shown, "deny": "yes"})).status == 410
    assert await error_of(kiosk, begun["device_code"]) == "authorization_pending"

"""RFC 8628: a device shows a code, its owner enters it elsewhere, and the device learns the answer by polling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from idp.spec.device import GRANT_TYPE
from tests.support.application import EVERYTHING, declaration, part

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application
    from tests.support.visitor import Page

KIOSK = ("kiosk", "rahasia")
LIFETIME, INTERVAL = 600, 5

Ask = "Callable[..., Awaitable[dict[str, Any]]]"


@pytest.fixture
async def ask(app: Application) -> Ask:
    """Register the device "kiosk" and send its requests."""
    await app.register("kiosk", grant_types=[GRANT_TYPE, "refresh_token"], redirect_uris=None)

    async def send(**form: str) -> dict[str, Any]:
        response = await app.http.post("/device_authorization", data={"scope": "openid profile", **form}, auth=KIOSK)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    return send


async def poll(app: Application, code: str, auth: tuple[str, str] | None = KIOSK) -> httpx2.Response:
    return await app.token({"grant_type": GRANT_TYPE, "device_code": code}, auth)


async def confirm(app: Application, user_code: str) -> Page:
    """Enter the code; the page that asks whether it is the same."""
    page = await app.visitor.get("/device")
    return await app.visitor.submit(page, page.form("user_code"), user_code=user_code)


async def answer(app: Application, user_code: str, *, yes: bool = True) -> Page:
    page = await confirm(app, user_code)
    page = await app.visitor.submit(page, page.form("continue"), press="continue")
    for _ in range(3):
        if page.path == "/login":
            page = await app.visitor.sign_in(page, app.provider.person("siti"))
        if page.path == "/approve":
            page = await (app.visitor.allow(page) if yes else app.visitor.deny(page))
    return page


async def test_3_2_the_answer_names_both_codes_the_page_and_the_rhythm(app: Application, ask: Any) -> None:
    begun = await ask()
    assert set(begun) == {"device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval"}
    assert begun["verification_uri"] == "http://localhost:8000/device"
    assert (begun["expires_in"], begun["interval"]) == (LIFETIME, INTERVAL)
    assert len(begun["user_code"].replace("-", "")) == 9
    assert len(begun["device_code"]) >= 43
    page = await app.visitor.get(begun["verification_uri_complete"])
    assert page.form("user_code").fields["user_code"] == begun["user_code"]


async def test_3_3_the_citizen_sees_who_asks_before_signing_in_and_the_device_gets_its_tokens(app: Application, ask: Any) -> None:
    begun = await ask()
    page = await confirm(app, begun["user_code"])
    assert "Aplikasi Uji" in page.text
    assert begun["user_code"] in page.text
    done = await answer(app, begun["user_code"])
    assert (done.path, done.status) == ("/device/done", 200)
    assert "Selesai" in done.text
    response = await poll(app, begun["device_code"])
    assert response.status_code == 200
    tokens = response.json()
    assert {"access_token", "refresh_token", "id_token"} <= set(tokens)
    assert part(tokens["id_token"], 1)["aud"] == "kiosk"
    assert (await app.userinfo(tokens["access_token"])).json()["name"]


async def test_the_read_by_a_device_is_recorded_like_any_other(app: Application, ask: Any) -> None:
    begun = await ask()
    await answer(app, begun["user_code"])
    tokens = (await poll(app, begun["device_code"])).json()
    response = await app.userinfo(tokens["access_token"])
    history = await app.provider.services.consent.access_log.history(await person_of(app))
    assert history[0].entry_id == response.headers["x-access-log-id"]
    assert history[0].record["client"] == "kiosk"


async def person_of(app: Application) -> str:
    from idp.accounts import identifiers

    found = await app.provider.services.accounts.find(identifiers.parse(app.provider.person("siti").email))
    return found[0].person


async def test_3_5_until_the_answer_the_device_is_told_to_wait(app: Application, ask: Any) -> None:
    begun = await ask()
    first = await poll(app, begun["device_code"])
    assert (first.status_code, first.json()["error"]) == (400, "authorization_pending")


async def test_3_5_a_device_that_asks_too_often_is_slowed_down_for_good(app: Application, ask: Any) -> None:
    begun = await ask()
    app.provider.clock.hold()
    assert (await poll(app, begun["device_code"])).json()["error"] == "authorization_pending"
    app.provider.clock.move(seconds=INTERVAL - 1)
    assert (await poll(app, begun["device_code"])).json()["error"] == "slow_down"
    app.provider.clock.move(seconds=INTERVAL + 1)
    assert (await poll(app, begun["device_code"])).json()["error"] == "slow_down"
    app.provider.clock.move(seconds=INTERVAL + 11)
    assert (await poll(app, begun["device_code"])).json()["error"] == "authorization_pending"


async def test_3_5_the_code_expires(app: Application, ask: Any) -> None:
    begun = await ask()
    app.provider.clock.move(seconds=LIFETIME + 1)
    assert (await poll(app, begun["device_code"])).json()["error"] == "expired_token"
    page = await confirm(app, begun["user_code"])
    assert page.status == 422


@pytest.mark.parametrize("where", ["confirmation", "card"])
async def test_3_5_no_is_access_denied(app: Application, ask: Any, where: str) -> None:
    begun = await ask()
    if where == "card":
        page = await answer(app, begun["user_code"], yes=False)
    else:
        page = await confirm(app, begun["user_code"])
        page = await app.visitor.submit(page, page.form("deny"), press="deny")
    assert "Tidak jadi masuk" in page.text
    assert (await poll(app, begun["device_code"])).json()["error"] == "access_denied"


async def test_the_answer_is_fetched_once_and_a_second_time_revokes(app: Application, ask: Any) -> None:
    begun = await ask()
    await answer(app, begun["user_code"])
    tokens = (await poll(app, begun["device_code"])).json()
    again = await poll(app, begun["device_code"])
    assert again.json()["error"] == "invalid_grant"
    assert (await app.userinfo(tokens["access_token"])).status_code == 401


async def test_3_4_a_device_code_is_bound_to_its_client(app: Application, ask: Any) -> None:
    begun = await ask()
    await app.register("other-kiosk", grant_types=[GRANT_TYPE], redirect_uris=None)
    await answer(app, begun["user_code"])
    assert (await poll(app, begun["device_code"], ("other-kiosk", "rahasia"))).json()["error"] == "invalid_grant"
    assert (await poll(app, begun["device_code"])).status_code == 200


@pytest.mark.parametrize("typed", ["", "12345678", "12345678a", "1234567890", "١٢٣٤٥٦٧٨٩", "<script>", "9" * 500])
async def test_what_is_no_code_is_said_and_nothing_is_lost(app: Application, typed: str) -> None:
    page = await confirm(app, typed)
    assert page.status == 422
    assert "9 angka" in page.text
    assert page.form("user_code")


async def test_the_code_may_be_typed_with_or_without_hyphens_and_spaces(app: Application, ask: Any) -> None:
    begun = await ask()
    digits = begun["user_code"].replace("-", "")
    for typed in (digits, f" {digits[:3]} {digits[3:6]} {digits[6:]} ", begun["user_code"]):
        assert (await confirm(app, typed)).status == 200


async def test_5_1_guessing_user_codes_is_slowed_down_and_a_right_code_costs_nothing(app: Application, ask: Any) -> None:
    begun = await ask()
    for _ in range(61):
        page = await confirm(app, "000000000")
        if page.status == 429:
            break
    assert page.status == 429
    assert int(page.response.headers["retry-after"]) > 0
    assert (await confirm(app, begun["user_code"])).status == 429
    app.provider.clock.move(seconds=901)
    begun = await ask()
    for _ in range(3):
        assert (await confirm(app, begun["user_code"])).status == 200


async def test_two_people_who_know_a_code_give_one_answer(app: Application, ask: Any) -> None:
    begun = await ask()
    page = await confirm(app, begun["user_code"])
    other = await confirm(app, begun["user_code"])
    await app.visitor.submit(page, page.form("deny"), press="deny")
    late = await app.visitor.submit(other, other.form("continue"), press="continue")
    assert late.status == 410
    assert (await poll(app, begun["device_code"])).json()["error"] == "access_denied"


async def test_an_answer_after_the_time_leaves_nothing_behind(app: Application, ask: Any) -> None:
    begun = await ask()
    page = await confirm(app, begun["user_code"])
    page = await app.visitor.submit(page, page.form("continue"), press="continue")
    page = await app.visitor.sign_in(page, app.provider.person("siti"))
    assert page.path == "/approve"
    app.provider.clock.move(seconds=LIFETIME + 1)
    page = await app.visitor.allow(page)
    assert page.status == 410
    assert (await poll(app, begun["device_code"])).json()["error"] == "expired_token"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "openid purpose:nobody"}, "invalid_scope"),
        ({"scope": 'op"enid'}, "invalid_scope"),
        ({"scope": "openid", "claims": "[]"}, "invalid_request"),
        ({"scope": ["openid", "openid"]}, "invalid_request"),
    ],
)
async def test_3_1_a_bad_request_is_refused_at_once(app: Application, ask: Any, form: dict[str, Any], error: str) -> None:
    del ask
    response = await app.http.post("/device_authorization", content=urlencode(form, doseq=True), headers=FORM, auth=KIOSK)
    assert (response.status_code, response.json()["error"]) == (400, error)


async def test_3_1_a_client_that_is_not_registered_for_it_is_refused(app: Application) -> None:
    response = await app.http.post("/device_authorization", data={"scope": "openid"}, auth=("app", "rahasia"))
    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


async def test_a_public_device_is_only_named(app: Application) -> None:
    await app.register("radio", grant_types=[GRANT_TYPE], redirect_uris=None, token_endpoint_auth_method="none")
    begun = (await app.http.post("/device_authorization", data={"client_id": "radio", "scope": "openid"})).json()
    await answer(app, begun["user_code"])
    response = await app.token({"grant_type": GRANT_TYPE, "device_code": begun["device_code"], "client_id": "radio"}, None)
    assert response.status_code == 200


async def test_a_request_from_outside_cannot_name_somebody_elses_deferred_request(app: Application, ask: Any) -> None:
    begun = await ask()
    waiting = await app.provider.services.deferred.by_user_code(begun["user_code"].replace("-", ""), app.provider.clock())
    assert waiting is not None
    answered = await app.through(deferred=waiting.id)
    assert "code" in answered
    assert (await poll(app, begun["device_code"])).json()["error"] == "authorization_pending"


async def test_offline_access_shows_a_card_and_outlives_the_session(app: Application) -> None:
    await app.provider.services.consent.purposes.add(declaration("semua", required=EVERYTHING))
    await app.register("kiosk", grant_types=[GRANT_TYPE, "refresh_token"], redirect_uris=None)
    form = {"scope": "openid profile offline_access"}
    for _ in range(2):
        begun = (await app.http.post("/device_authorization", data=form, auth=KIOSK)).json()
        page = await confirm(app, begun["user_code"])
        page = await app.visitor.submit(page, page.form("continue"), press="continue")
        if page.path == "/login":
            page = await app.visitor.sign_in(page, app.provider.person("siti"))
        assert page.path == "/approve"
        page = await app.visitor.allow(page)
    tokens = (await poll(app, begun["device_code"])).json()
    assert "offline_access" in tokens["scope"].split()
    home = await app.visitor.get("/")
    await app.visitor.submit(home, home.forms[0])
    assert (await app.refresh(tokens["refresh_token"], KIOSK)).status_code == 200


FORM = {"content-type": "application/x-www-form-urlencoded"}


async def test_a_request_may_carry_authorization_details_and_wrong_ones_are_refused(app: Application, ask: Any) -> None:
    """RFC 9396 §3: "The "authorization_details" authorization request parameter can be used […] in the device authorization request"."""
    detail = '[{"type": "gerbang-purpose", "purpose": "semua", "claims": ["email"]}]'
    begun = await ask(scope="openid", authorization_details=detail)
    await answer(app, begun["user_code"])
    tokens = (await poll(app, begun["device_code"])).json()
    (granted,) = tokens["authorization_details"]
    assert (granted["purpose"], granted["claims"]) == ("semua", ["email"])
    assert (await app.userinfo(tokens["access_token"])).json().keys() >= {"sub", "email"}
    for wrong in ({"authorization_details": "[]"}, {"resource": "https://other.test/"}):
        response = await app.http.post("/device_authorization", data={"scope": "openid", **wrong}, auth=KIOSK)
        assert response.json()["error"] in {"invalid_authorization_details", "invalid_target"}

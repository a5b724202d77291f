"""Where one specification's rule could be walked around by another's endpoint: RFC 9700's attacker tries the parts against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.accounts import identifiers
from idp.notices.streams.records import Stream
from idp.protocol import registrations, streams
from idp.protocol.outbox import outbox
from idp.spec import token_exchange
from idp.spec.backchannel import GRANT_TYPE as CIBA
from idp.spec.device import GRANT_TYPE
from tests.support.application import AUTH, SECRET, parameters, part

if TYPE_CHECKING:
    from tests.support.application import Application
    from tests.support.visitor import Page, Visitor

KIOSK = ("kiosk", "rahasia")


async def begin(app: Application, **form: str | list[str]) -> dict[str, Any]:
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


async def test_what_an_application_registered_for_every_request_holds_for_devices_and_counters(app: Application) -> None:
    """OIDC Registration §2: default_acr_values and default_max_age; a request that is answered elsewhere does not step around them."""
    strict: dict[str, Any] = {"default_acr_values": ["aal2"], "default_max_age": 60, "redirect_uris": None}
    await app.register("kiosk", grant_types=[GRANT_TYPE, CIBA], **strict)
    await app.through()  # Siti is signed in, with a password alone
    page = await enter(app.visitor, (await begin(app))["user_code"])
    page = await app.visitor.submit(page, page.form("continue"), press="continue")
    assert page.path == "/login/second-factor"
    app.provider.clock.move(seconds=61)
    page = await enter(app.visitor, (await begin(app))["user_code"])
    assert (await app.visitor.submit(page, page.form("continue"), press="continue")).path == "/login"
    hint = {"scope": "openid", "login_hint": app.provider.person("siti").email}
    assert (await app.http.post("/backchannel_authentication", data=hint, auth=KIOSK)).status_code == 200
    found = app.provider.services
    siti = (await found.accounts.find(identifiers.parse(hint["login_hint"])))[0]
    (waiting,) = await found.deferred.of_person(siti.person, app.provider.clock())
    assert (waiting.parameters["acr_values"], waiting.parameters["max_age"]) == ("aal2", "60")


async def test_rfc8707_2_2_a_device_may_name_some_of_its_resources_when_it_fetches_its_tokens(app: Application) -> None:
    both = ["https://satu.test/", "https://dua.test/"]
    await app.register("kiosk", grant_types=[GRANT_TYPE], redirect_uris=None, resources=both)
    for named, given in ((both[0], both[0]), (None, both), ("https://tiga.test/", None)):
        begun = await begin(app, resource=both)
        page = await enter(app.visitor, begun["user_code"])
        page = await app.visitor.submit(page, page.form("continue"), press="continue")
        page = await app.visitor.sign_in(page, app.provider.person("siti")) if page.path == "/login" else page
        page = await app.visitor.allow(page) if page.path == "/approve" else page
        form: dict[str, object] = {"grant_type": GRANT_TYPE, "device_code": begun["device_code"], "resource": named}
        response = await app.token(form, KIOSK)
        if given is None:
            assert response.json()["error"] == "invalid_target"
        else:
            assert part(response.json()["access_token"], 1)["aud"] == given


async def test_what_tells_of_somebody_stays_out_of_addresses_when_a_form_from_another_site_is_asked_for_again(app: Application) -> None:
    """SameSite=Lax keeps our cookies from such a form; the redirect that brings them must not put a hint into histories and logs."""
    token = (await app.tokens())["id_token"]
    claims = '{"id_token": {"sub": {"value": "orang"}}}'
    for told in ({"login_hint": "siti@example.org"}, {"id_token_hint": token}, {"claims": claims}):
        page = await (await app.provider.client()).post("/authorize", data=parameters(**told))
        assert page.status_code == 303
        address = page.headers["location"]
        assert dict(parse_qsl(urlsplit(address).query)).keys() == {"client_id", "request_uri"}
        shown = await (await app.provider.visitor()).get(address)
        assert shown.path == "/login"
        assert ("siti@example.org" in shown.text) == ("login_hint" in told)
    plain = await (await app.provider.client()).post("/authorize", data=parameters())
    assert "code_challenge" in plain.headers["location"]


async def test_asking_again_by_reference_passes_no_check_by(app: Application) -> None:
    """What /authorize keeps for itself counts as pushed: so it is kept only after every check of a request that was not."""
    await app.register("pushes", require_pushed_authorization_requests=True)
    for wrong in ({"client_id": "pushes"}, {"scope": "openid purpose:nobody"}, {"max_age": "x"}, {"redirect_uri": "https://evil.test/"}):
        answer = await (await app.provider.client()).post("/authorize", data=parameters(login_hint="siti@example.org", **wrong))
        assert "request_uri=urn" not in answer.headers.get("location", "")
    pushed = (await app.http.post("/par", data=parameters(), auth=AUTH)).json()["request_uri"]
    form = {"client_id": "app", "request_uri": pushed, "login_hint": "siti@example.org"}
    again = await (await app.provider.client()).post("/authorize", data=form)
    assert dict(parse_qsl(urlsplit(again.headers["location"]).query))["request_uri"] == pushed  # so that it is answered once


async def test_a_counter_that_names_nobody_costs_what_one_costs_that_names_somebody(app: Application) -> None:
    """CIBA §13: a wrong hint is told by nothing, neither by the answer nor by what it sets in motion."""
    await app.register("kiosk", grant_types=[CIBA], redirect_uris=None)
    for hint in (app.provider.person("siti").email, "tidak.ada@example.org", "bukan pengenal"):
        form = {"scope": "openid", "login_hint": hint}
        assert (await app.http.post("/backchannel_authentication", data=form, auth=KIOSK)).status_code == 200
        assert await outbox(app.provider.services).run_once() > 0


async def test_an_application_under_the_name_of_one_that_was_removed_inherits_none_of_its_events(app: Application) -> None:
    found = app.provider.services
    client = await found.clients.get("app")
    assert client is not None
    await streams.put(found, Stream("app", frozenset(streams.EVENTS), "https://old.test/events", "Bearer old"))
    assert await registrations.remove(found, client, registrations.COMMAND_LINE)
    await app.register("app")
    assert await found.notices.streams.get("app") is None


async def test_rfc7662_4_what_was_handed_on_to_one_service_is_told_to_no_other(app: Application) -> None:
    await app.register("arsip")
    await app.register("lain")
    await app.register("portal", grant_types=["authorization_code", token_exchange.GRANT_TYPE], exchange_audiences=["arsip"])
    code = (await app.through(client_id="portal"))["code"]
    given = (await app.redeem(code, ("portal", SECRET))).json()["access_token"]
    form: dict[str, object] = {
        "grant_type": token_exchange.GRANT_TYPE, "subject_token": given, "subject_token_type": token_exchange.ACCESS_TOKEN,
        "audience": "arsip",
    }  # fmt: skip
    token = (await app.token(form, ("portal", SECRET))).json()["access_token"]
    assert [(await app.introspect(token, (name, SECRET)))["active"] for name in ("arsip", "portal", "lain")] == [True, True, False]
    assert (await app.introspect(given, ("lain", SECRET)))["active"]  # it names no service: any of the city's may be its resource server
